import { refuse } from '../../../schemas/errors.ts';
import { START, type EventFilter, type Position, type RecordedEvent } from '../../../schemas/event-envelope.ts';
import { StreamName } from '../../../schemas/ids.ts';
import { eventView } from '../event-view.ts';
import type { Handlers, StreamedRow } from '../handler.ts';
import { pageOf } from './audience.ts';
import type { HandlerDeps } from './handler-deps.ts';

type OperationHandlers = Pick<
  Handlers,
  | 'readInstallation'
  | 'readStatus'
  | 'listProjections'
  | 'rebuildProjection'
  | 'compareProjection'
  | 'listParked'
  | 'readParked'
  | 'listWorkers'
  | 'retryParked'
  | 'discardParked'
  | 'listEvents'
  | 'tailEvents'
  | 'exportEvents'
  | 'readEvent'
>;

type View = ReturnType<typeof eventView>;

const PAGE = 100;

const filterOf = ({ category, type }: { readonly category?: string | undefined; readonly type?: string | undefined }): EventFilter => ({
  ...(category === undefined ? {} : { categories: [category] }),
  ...(type === undefined ? {} : { types: [type] }),
});

const before = (position: bigint): Position => (position > 1n ? position - 1n : START) as Position;

/** A cursor after everything that read models have parked. */
const BEFORE_WORKERS = 'w0';

/** Workers’ ids begin with a letter, those of read models are numbers. */
const isOfWorker = (parkedId: string): boolean => parkedId.startsWith('w');

export const operationHandlers = ({ log, care, workers, installation, status }: HandlerDeps): OperationHandlers => {
  /** The last events that pass the filter. A log is read forwards: so from further and further back until there are enough. */
  const newest = async (filter: EventFilter, limit: number, head: Position): Promise<readonly RecordedEvent[]> => {
    for (let back = BigInt(limit) * 4n; ; back *= 8n) {
      const after = (head > back ? head - back : START) as Position;
      const last: RecordedEvent[] = [];
      for await (const event of log.readAll({ after, upTo: head, filter })) {
        last.push(event);
        if (last.length > limit) last.shift();
      }
      if (last.length === limit || after === START) return last;
    }
  };

  const readSome = async (events: AsyncIterable<RecordedEvent>): Promise<readonly RecordedEvent[]> => {
    const some: RecordedEvent[] = [];
    for await (const event of events) some.push(event);
    return some;
  };

  async function* views(events: AsyncIterable<RecordedEvent>): AsyncGenerator<View> {
    for await (const event of events) yield eventView(event);
  }

  async function* live(after: Position, filter: EventFilter, signal: AbortSignal): AsyncGenerator<StreamedRow<View>> {
    for await (const message of log.subscribe({ after, filter, signal })) {
      if (message.kind === 'events') for (const event of message.events) yield { id: event.position.toString(), row: eventView(event) };
    }
  }

  return {
    readInstallation: async () => installation,
    readStatus: () => status(),
    listProjections: () => care.status(),
    rebuildProjection: ({ params }) => care.rebuild(params.name),
    compareProjection: ({ params }) => care.compare(params.name),
    listParked: async ({ query }) => {
      const { cursor, limit } = pageOf(query);
      if (query.worker !== undefined || isOfWorker(cursor ?? '')) return workers.parked({ worker: query.worker }, { cursor, limit });
      const page = await care.parked({ projection: query.projection }, { cursor, limit });
      if (query.projection !== undefined || page.nextCursor !== null) return page;
      const room = limit - page.rows.length;
      const rest = await workers.parked({}, { cursor: undefined, limit: Math.max(1, room) });
      if (room === 0) return rest.rows.length === 0 ? page : { ...page, nextCursor: BEFORE_WORKERS };
      return { rows: [...page.rows, ...rest.rows], nextCursor: rest.nextCursor };
    },
    readParked: ({ params: { parkedId } }) => (isOfWorker(parkedId) ? workers : care).parkedEvent(parkedId),
    retryParked: async ({ params: { parkedId } }) =>
      (await (isOfWorker(parkedId) ? workers : care).retryParked(parkedId)) ?? { position: null },
    discardParked: async ({ params: { parkedId } }) =>
      (await (isOfWorker(parkedId) ? workers : care).discardParked(parkedId)) ?? { position: null },
    listWorkers: () => workers.status(),

    listEvents: async ({ query: { stream, from, limit = PAGE, ...asked } }) => {
      const head = await log.head();
      const position = from === undefined ? null : (BigInt(from) as Position);
      if (stream === undefined) {
        const filter = filterOf(asked);
        const rows =
          position === null ? await newest(filter, limit, head) : await readSome(log.readAll({ after: position, filter, limit }));
        return { rows: rows.map(eventView), head: head.toString() };
      }
      const name = StreamName.safeParse(stream);
      if (!name.success) return refuse('invalid_request', 'A stream is named category-id.', { param: 'stream' });
      const rows = await readSome(log.readStream(name.data, { limit }));
      return { rows: rows.map(eventView), head: head.toString() };
    },

    tailEvents: async ({ query, lastEventId, signal }) => {
      const resumed = lastEventId !== undefined && /^\d{1,19}$/.test(lastEventId) ? lastEventId : query.from;
      return live(resumed === undefined ? await log.head() : (BigInt(resumed) as Position), filterOf(query), signal);
    },

    exportEvents: async ({ query }) => ({
      name: 'oblivious-events.jsonl',
      rows: views(log.readAll({ after: query.from === undefined ? START : (BigInt(query.from) as Position), filter: filterOf(query) })),
    }),

    readEvent: async ({ params }) => {
      const position = BigInt(params.position) as Position;
      for await (const event of log.readAll({ after: before(position), upTo: position }))
        if (event.position === position) return eventView(event);
      return refuse('not_found', 'There is no event at this position.');
    },
  };
};
