import { refuse, type Refusal } from '../schemas/errors.ts';

/** The log could not be read within its time; trying again later may work. Appends say the same with the outcome `unknown`. */
export class LogUnavailable extends Error {
  readonly code = 'log_unavailable';

  constructor(cause: Error) {
    super(`The event log cannot be read: ${cause.message}`, { cause });
    this.name = 'LogUnavailable';
  }
}

/** Work that reads the log, with a log that cannot be read as the refusal that it is. */
export const orLogUnavailable = async <Answer>(work: Promise<Answer>): Promise<Answer | Refusal> => {
  try {
    return await work;
  } catch (error) {
    if (error instanceof LogUnavailable) return refuse('log_unavailable');
    throw error;
  }
};
