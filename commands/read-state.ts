import { decodeEvent } from '../domain/kernel/event-codec.ts';
import type { Decider } from '../domain/kernel/decider.ts';
import type { DomainEvent } from '../schemas/events/catalogue.ts';
import type { StreamName } from '../schemas/ids.ts';
import type { EventLog } from './ports/event-log.ts';

/** What a stream says now. A decision that rests on it may be outdated when it is made: for rules that may lag, never for money. */
export const readState = async <State, Event extends DomainEvent>(
  log: Pick<EventLog, 'readStream'>,
  stream: StreamName,
  decider: Pick<Decider<State, never, Event>, 'initial' | 'evolve'>,
): Promise<State> => {
  let state = decider.initial;
  for await (const recorded of log.readStream(stream)) state = decider.evolve(state, decodeEvent(recorded) as Event);
  return state;
};
