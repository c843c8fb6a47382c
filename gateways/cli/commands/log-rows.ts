import type { Position } from '../../../schemas/event-envelope.ts';
import { START } from '../../../schemas/event-envelope.ts';
import type { EventView } from '../../../schemas/http/events.ts';
import type { Wire } from '../../../schemas/http/wire.ts';
import type { RecordedEvent } from '../../../schemas/event-envelope.ts';
import type { Target } from '../command.ts';
import { isFailure, type Failure } from '../failure.ts';

/** An event as the command line prints it. */
export type EventRow = Wire<typeof EventView>;

/** From the data themselves nothing is masked: sealed values are sealed, and an export has to hold all there is. */
export const rowOf = (event: RecordedEvent): EventRow => {
  const { payloadDigest: _digest, ...shown } = event.metadata;
  // `data` is named: what is parsed when it is looked at is in no copy of the rest.
  return { ...event, position: event.position.toString(), data: { ...event.data }, metadata: shown };
};

export interface WhichEvents {
  readonly from?: string | undefined;
  readonly category?: string | undefined;
  readonly type?: string | undefined;
}

const filterOf = ({ category, type }: WhichEvents): { readonly categories?: readonly string[]; readonly types?: readonly string[] } => ({
  ...(category === undefined ? {} : { categories: [category] }),
  ...(type === undefined ? {} : { types: [type] }),
});

async function* rowsOf(events: AsyncIterable<RecordedEvent>): AsyncGenerator<EventRow> {
  for await (const event of events) yield rowOf(event);
}

/** The log from a position on, wherever it is read. */
export const readLog = async (target: Target, which: WhichEvents): Promise<AsyncIterable<EventRow> | Failure> =>
  target.kind === 'server'
    ? target.api.rows('exportEvents', { query: which })
    : rowsOf(
        target.data.log.readAll({ after: which.from === undefined ? START : (BigInt(which.from) as Position), filter: filterOf(which) }),
      );

/** The last events, oldest first. */
export const lastEvents = async (target: Target, which: WhichEvents, limit: number): Promise<readonly EventRow[] | Failure> => {
  if (target.kind === 'server') {
    const list = await target.api.call('listEvents', { query: { ...which, limit: String(limit) } });
    return isFailure(list) ? list : list.rows;
  }
  const last: EventRow[] = [];
  for await (const event of target.data.log.readAll({ filter: filterOf(which) })) {
    last.push(rowOf(event));
    if (last.length > limit) last.shift();
  }
  return last;
};

/** What is recorded from now on, until it is interrupted. */
export const followLog = async (target: Target, which: WhichEvents, signal: AbortSignal): Promise<AsyncIterable<EventRow> | Failure> => {
  if (target.kind === 'server') return target.api.rows('tailEvents', { query: which });
  const { log } = target.data;
  const after = which.from === undefined ? await log.head() : (BigInt(which.from) as Position);
  return (async function* () {
    for await (const message of log.subscribe({ after, filter: filterOf(which), signal }))
      if (message.kind === 'events') for (const event of message.events) yield rowOf(event);
  })();
};

/** Where the log ends now. */
export const headOf = async (target: Target): Promise<bigint | Failure> => {
  if (target.kind === 'data') return target.data.log.head();
  const list = await target.api.call('listEvents', { query: { limit: '1' } });
  return isFailure(list) ? list : BigInt(list.head);
};
