import { isRefusal, refuse, type Refusal } from '../../schemas/errors.ts';
import { orLogUnavailable } from '../log-unavailable.ts';

/** The keys of contents cannot be reached now; trying again later may work. */
export class KeysUnavailable extends Error {
  readonly code = 'keys_unavailable';

  constructor(cause: unknown) {
    super(`The keys of contents cannot be reached: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = 'KeysUnavailable';
  }
}

/** Work on what is kept, with a log or keys that cannot be reached as the refusal that it is. */
export const orArchiveUnavailable = async <Answer>(work: () => Promise<Answer>): Promise<Answer | Refusal> => {
  try {
    const answer = await orLogUnavailable(work());
    return isRefusal(answer) && answer.refused === 'log_unavailable'
      ? refuse('log_unavailable', 'What is kept cannot be reached at the moment.')
      : answer;
  } catch (error) {
    if (error instanceof KeysUnavailable) return refuse('log_unavailable', 'What is kept cannot be reached at the moment.');
    throw error;
  }
};
