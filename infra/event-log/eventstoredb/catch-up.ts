import type { EventFilter, LogMessage, Position, RecordedEvent } from '../../../schemas/event-envelope.ts';
import { START } from '../../../schemas/event-envelope.ts';
import { STEP_LIMITS } from '../log-step.ts';
import { isoClock, toRecorded } from '../stored-event.ts';
import { wants } from '../wanted.ts';
import type { Connection } from './connection.ts';
import { found } from './event-codec.ts';
import { subscribeRequest } from './read-request.ts';

export interface CatchUpOptions {
  readonly after: Position;
  readonly filter: EventFilter;
  /** The head of the log when the catching up began: it ends there. */
  readonly goal: Position;
  /** For how long the server may be silent, in ms. */
  readonly silenceMs: number;
  readonly signal: AbortSignal;
}

/**
 * Brings a reader that wants few of the log's events from far behind to the head as it was, by a subscription that the server filters: it
 * alone reads what nobody wants. The server's checkpoints are taken as they come among the events, and only up to the goal: beyond it
 * they may name places where nothing of ours lies. That it has caught up says nothing of the goal: a follower may be behind the leader.
 *
 * @throws when the server is lost or silent; what was yielded until then holds.
 */
export async function* catchUp(connection: Connection, options: CatchUpOptions): AsyncGenerator<LogMessage, void, undefined> {
  const { after, filter, goal, silenceMs } = options;
  const iso = isoClock();
  const isWanted = wants(filter);
  const silent = new AbortController();
  const timer = setTimeout(() => silent.abort(), silenceMs);
  const signal = AbortSignal.any([options.signal, silent.signal]);
  let events: RecordedEvent[] = [];
  let bytes = 0;
  let position = after;
  let hasPassed = false;
  const pile = (): LogMessage[] => {
    if (events.length === 0) return [];
    const message: LogMessage = { kind: 'events', events };
    events = [];
    bytes = 0;
    return [message];
  };
  try {
    for await (const message of connection.read(subscribeRequest(after === START ? 'start' : after, filter), { signal })) {
      timer.refresh();
      const event = found(message, iso);
      const checkpoint = message.getCheckpoint();
      const isThere = message.getCaughtUp() !== undefined;
      if (event !== undefined) {
        if (event.position <= position) continue;
        if (event.position > goal) {
          hasPassed = true;
          break;
        }
        position = event.position;
        if (event.stored === null || !isWanted(event.stored)) continue;
        events.push(toRecorded(event.stored));
        bytes += event.stored.data.length + event.stored.metadata.length;
        if (events.length < STEP_LIMITS.events && bytes < STEP_LIMITS.bytes) continue;
        yield* pile();
        // The reader took its time over that, not the server.
        timer.refresh();
      } else if (checkpoint !== undefined) {
        const passed = BigInt(checkpoint.getCommitPosition()) as Position;
        if (passed >= goal) {
          hasPassed = true;
          break;
        }
        if (passed <= position) continue;
        yield* pile();
        position = passed;
        yield { kind: 'checkpoint', position };
        timer.refresh();
      } else if (isThere) break;
    }
    if (silent.signal.aborted) throw new Error(`EventStoreDB was silent for ${silenceMs} ms.`);
    if (options.signal.aborted) return;
    yield* pile();
    if (hasPassed && position < goal) yield { kind: 'checkpoint', position: goal };
  } finally {
    clearTimeout(timer);
  }
}
