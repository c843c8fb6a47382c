import { createHash } from 'node:crypto';
import { decodeEvent, encodeEvent } from '../domain/kernel/event-codec.ts';
import type { Decider } from '../domain/kernel/decider.ts';
import { isRefusal, refuse, type Refusal } from '../schemas/errors.ts';
import type { NewEvent, Position, Revision } from '../schemas/event-envelope.ts';
import type { DomainEvent } from '../schemas/events/catalogue.ts';
import type { StreamName } from '../schemas/ids.ts';
import { metadataOf, type CommandContext } from './command-context.ts';
import { deriveEventId } from './event-id.ts';
import { orLogUnavailable } from './log-unavailable.ts';
import type { Appender } from './ports/appender.ts';
import type { AppendOutcome, EventLog } from './ports/event-log.ts';

/** How often a decision is made anew because somebody else moved the stream meanwhile. */
const CONFLICT_RETRIES = 5;

/** What somebody has seen who found nothing yet. */
const NO_REVISION = -1;

/** Where the command's events ended up; a query can wait for the position. */
export interface CommandResult<State> {
  readonly state: State;
  readonly revision: Revision | 'no_stream';
  readonly position: Position | null;
}

/** Events ready for the log, their ids derived from the command's, so that a retried append is the same append. */
export const newEvents = (events: readonly DomainEvent[], context: CommandContext, payloadDigest?: string): readonly NewEvent[] => {
  const metadata = payloadDigest === undefined ? metadataOf(context) : { ...metadataOf(context), payloadDigest };
  return events.map((event, index) => ({ ...encodeEvent(event), eventId: deriveEventId(context.commandId, index), metadata }));
};

/** Tells one payload from another under the same command id. Keys of an object count in their given order: payloads are made by one function each. */
export const digestOf = (command: unknown): string =>
  createHash('sha256')
    .update(JSON.stringify(command, (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value)))
    .digest('hex')
    .slice(0, 32);

/** What an outcome that is not `appended` means to whoever asked. */
export const refusalOf = (outcome: Exclude<AppendOutcome, { outcome: 'appended' }>): Refusal => {
  switch (outcome.outcome) {
    case 'conflict':
      return refuse('conflict');
    case 'unknown':
      return refuse('log_unavailable');
    case 'rejected':
      return outcome.reason === 'log_busy' ? refuse('log_busy') : refuse('invalid_request', outcome.message);
  }
};

/**
 * Load, decide, append. On a conflict the stream is read again and the decision is made anew, unless the caller said
 * which revision it had seen. A command whose events are in the stream already (by command id) is answered with the
 * state as it is and appends nothing; the same id with another payload is refused.
 */
export const runCommand = <State, Command, Event extends DomainEvent>(
  log: Pick<EventLog, 'readStream'>,
  appender: Appender,
  stream: StreamName,
  decider: Decider<State, Command, Event>,
  command: Command,
  context: CommandContext,
  expectedRevision?: Revision,
): Promise<CommandResult<State> | Refusal> =>
  orLogUnavailable(loadDecideAppend(log, appender, stream, decider, command, context, expectedRevision));

const loadDecideAppend = async <State, Command, Event extends DomainEvent>(
  log: Pick<EventLog, 'readStream'>,
  appender: Appender,
  stream: StreamName,
  decider: Decider<State, Command, Event>,
  command: Command,
  context: CommandContext,
  expectedRevision: Revision | undefined,
): Promise<CommandResult<State> | Refusal> => {
  const payloadDigest = digestOf(command);
  for (let tries = 0; ; tries++) {
    let state = decider.initial;
    let revision: Revision | 'no_stream' = 'no_stream';
    let doneAt: Position | null = null;
    for await (const recorded of log.readStream(stream)) {
      state = decider.evolve(state, decodeEvent(recorded) as Event);
      revision = recorded.revision;
      if (recorded.metadata.commandId !== context.commandId) continue;
      if (recorded.metadata.payloadDigest !== payloadDigest) return refuse('idempotency_conflict');
      doneAt = recorded.position;
    }
    if (doneAt !== null) return { state, revision, position: doneAt };
    if (expectedRevision !== undefined && expectedRevision !== (revision === 'no_stream' ? NO_REVISION : revision))
      return refuse('revision_mismatch');

    const decided = decider.decide(command, state);
    if (isRefusal(decided)) return decided;
    if (decided.length === 0) return { state, revision, position: null };

    const outcome = await appender.append({ stream, expectedRevision: revision, events: newEvents(decided, context, payloadDigest) });
    if (outcome.outcome === 'appended') {
      return { state: decided.reduce(decider.evolve, state), revision: outcome.revision, position: outcome.position };
    }
    if (outcome.outcome !== 'conflict' || expectedRevision !== undefined || tries >= CONFLICT_RETRIES) {
      return outcome.outcome === 'conflict' && expectedRevision !== undefined ? refuse('revision_mismatch') : refusalOf(outcome);
    }
  }
};
