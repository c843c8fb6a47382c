import { decodeEvent } from '../../domain/kernel/event-codec.ts';
import { LogUnavailable } from '../../commands/log-unavailable.ts';
import type { AnyWorker, WorkContext, WorkEvent } from '../../commands/workers/worker.ts';
import { ReadModelsUnavailable } from '../../projections/engine/read-models-unavailable.ts';
import type { ErrorCode } from '../../schemas/errors.ts';
import type { RecordedEvent } from '../../schemas/event-envelope.ts';
import { CommandId } from '../../schemas/ids.ts';

/** Not the event's fault: the log or the database is away, or the work was told to stop. The attempt does not count. */
export class WorkInterrupted extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'WorkInterrupted';
  }
}

const NOBODYS_FAULT: ReadonlySet<ErrorCode> = new Set(['log_unavailable', 'log_busy', 'shutting_down', 'starting']);

const workEvent = (recorded: RecordedEvent): WorkEvent => ({
  ...decodeEvent(recorded),
  eventId: recorded.eventId,
  stream: recorded.stream,
  revision: recorded.revision,
  position: recorded.position,
  recordedAt: recorded.recordedAt,
  actor: recorded.metadata.actor,
});

/** The circumstances of an attempt. */
export type Attempt = Pick<WorkContext, 'attempt' | 'isLast' | 'signal' | 'progress'>;

const contextOf = (worker: string, { eventId, recordedAt, metadata }: RecordedEvent, attempt: Attempt): WorkContext => ({
  ...attempt,
  command: (tenant, part) => ({
    commandId: CommandId.parse(`${worker}:${eventId}${part === undefined ? '' : `/${part}`}`),
    correlationId: metadata.correlationId,
    causationId: eventId,
    actor: { kind: 'system', id: worker },
    tenant,
    // The event's own time and not the attempt's, so that the command is the same however often it is tried.
    occurredAt: recordedAt,
    ...(metadata.traceparent === undefined ? {} : { traceparent: metadata.traceparent }),
  }),
});

/** `null` when the work is done, or what went wrong. Throws {@link WorkInterrupted}. */
export const attemptWork = async (worker: AnyWorker, recorded: RecordedEvent, attempt: Attempt): Promise<string | null> => {
  const { signal } = attempt;
  try {
    const refusal = await worker.handle(workEvent(recorded), contextOf(worker.name, recorded, attempt));
    if (refusal === null) return null;
    if (NOBODYS_FAULT.has(refusal.refused)) throw new WorkInterrupted(refusal.message);
    if (signal.aborted) throw new WorkInterrupted('the work was told to stop');
    return `${refusal.refused}: ${refusal.message}`;
  } catch (error) {
    if (error instanceof WorkInterrupted) throw error;
    if (error instanceof LogUnavailable || error instanceof ReadModelsUnavailable)
      throw new WorkInterrupted(error.message, { cause: error });
    if (signal.aborted) throw new WorkInterrupted('the work was told to stop', { cause: error });
    return error instanceof Error ? error.message : String(error);
  }
};
