import { isRefusal, type Refusal } from '../../../schemas/errors.ts';
import type { ParkedDetail, ParkedPage } from '../../../schemas/http/projections.ts';
import type { WorkerList } from '../../../schemas/http/workers.ts';
import type { Wire } from '../../../schemas/http/wire.ts';
import type { ApiClient } from '../api-client.ts';
import type { Command, Outcome, Run, Target } from '../command.ts';
import { EXIT, fail, isFailure, type Failure } from '../failure.ts';
import { jsonOf, listing, table } from '../render.ts';
import { argument } from './given.ts';

type Row = Wire<typeof ParkedPage>['rows'][number];
type Detail = Wire<typeof ParkedDetail>;

/** What read models and workers have parked, wherever that is. */
interface Parking {
  list(of: { readonly projection: string | undefined; readonly worker: string | undefined }): Promise<readonly Row[] | Failure>;
  show(parkedId: string): Promise<Detail | Failure>;
  retry(parkedId: string): Promise<null | Failure>;
  discard(parkedId: string): Promise<null | Failure>;
}

const orFailure = <Answer>(answer: Answer | Refusal): Answer | Failure => (isRefusal(answer) ? fail(EXIT.refused, answer.message) : answer);

const atServer = (api: ApiClient): Parking => ({
  list: async (of) => {
    const rows: Row[] = [];
    let cursor: string | undefined;
    do {
      const page = await api.call('listParked', { query: { ...of, cursor, limit: '200' } });
      if (isFailure(page)) return page;
      rows.push(...page.rows);
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    return rows;
  },
  show: (parkedId) => api.call('readParked', { params: { parkedId } }),
  retry: async (parkedId) => {
    const done = await api.call('retryParked', { params: { parkedId } });
    return isFailure(done) ? done : null;
  },
  discard: async (parkedId) => {
    const done = await api.call('discardParked', { params: { parkedId } });
    return isFailure(done) ? done : null;
  },
});

const MOST = { cursor: undefined, limit: 10_000 } as const;

const parkingOf = async (target: Target): Promise<Parking> => {
  if (target.kind === 'server') return atServer(target.api);
  const care = await target.data.care();
  const workers = await target.data.workers();
  const keeperOf = (parkedId: string): Pick<typeof workers, 'parkedEvent' | 'retryParked' | 'discardParked'> =>
    parkedId.startsWith('w') ? workers : care;
  return {
    list: async ({ projection, worker }) => [
      ...(worker === undefined ? (await care.parked({ projection }, MOST)).rows : []),
      ...(projection === undefined ? (await workers.parked({ worker }, MOST)).rows : []),
    ],
    show: async (parkedId) => orFailure(await keeperOf(parkedId).parkedEvent(parkedId)),
    retry: async (parkedId) => orFailure(await keeperOf(parkedId).retryParked(parkedId)),
    discard: async (parkedId) => orFailure(await keeperOf(parkedId).discardParked(parkedId)),
  };
};

const unpark = (name: 'retry' | 'discard', about: string, said: string): Command => ({
  name: `parked ${name}`,
  about,
  args: [{ name: 'id', about: 'As `parked list` shows it.' }],
  examples: [`parked ${name} 17`, `parked ${name} w17`],
  run: async (run: Run): Promise<Outcome> => {
    const target = await run.target();
    if (isFailure(target)) return target;
    const done = await (await parkingOf(target))[name](argument(run, 'id'));
    if (done !== null) return done;
    run.tell({ id: argument(run, 'id'), done: true }, () => `${said}\n`);
    return 0;
  },
});

export const parkedCommands: readonly Command[] = [
  {
    name: 'workers list',
    about: 'List workers: how far they are, what waits, and what is parked. Exit code 1 when something is parked.',
    examples: ['workers list', 'workers list --json'],
    run: async (run: Run): Promise<Outcome> => {
      const target = await run.target();
      if (isFailure(target)) return target;
      const list: Wire<typeof WorkerList> | Failure =
        target.kind === 'server' ? await target.api.call('listWorkers', {}) : await (await target.data.workers()).status();
      if (isFailure(list)) return list;
      run.tell(list.rows, () =>
        table(
          [
            { title: 'WORKER', cell: ({ name }) => name },
            { title: 'POSITION', cell: ({ position }) => position, right: true },
            { title: 'LAG', cell: ({ lagMs }) => `${(lagMs / 1_000).toFixed(1)} s`, right: true },
            { title: 'WAITING', cell: ({ waiting }) => waiting, right: true },
            { title: 'PARKED', cell: ({ parked }) => parked, right: true },
            { title: 'PROCESS', cell: (row) => row.process },
          ],
          list.rows,
        ),
      );
      return list.rows.every(({ parked }) => parked === 0) ? 0 : 1;
    },
  },
  {
    name: 'parked list',
    about: 'List events that a read model or a worker could not take. Exit code 1 when there are any.',
    options: {
      projection: { value: 'NAME', about: 'Of one read model only.' },
      worker: { value: 'NAME', about: 'Of one worker only.' },
    },
    examples: ['parked list', 'parked list --projection journal --json', 'parked list --worker notifications'],
    run: async (run: Run): Promise<Outcome> => {
      const { projection, worker } = run.options;
      if (projection !== undefined && worker !== undefined) return fail(EXIT.usage, 'Give --projection or --worker, not both.');
      const target = await run.target();
      if (isFailure(target)) return target;
      const rows = await (await parkingOf(target)).list({ projection, worker });
      if (isFailure(rows)) return rows;
      run.tell(rows, () =>
        rows.length === 0
          ? 'Nothing is parked.\n'
          : table(
              [
                { title: 'ID', cell: ({ parkedId }) => parkedId, right: true },
                { title: 'BY', cell: (row) => row.projection ?? row.worker },
                { title: 'POSITION', cell: ({ position }) => position, right: true },
                { title: 'TYPE', cell: ({ type }) => type },
                { title: 'STREAM', cell: ({ stream }) => stream },
                { title: 'WHY', cell: ({ waiting, error }) => (waiting ? 'waits behind another' : error) },
              ],
              rows,
            ),
      );
      return rows.length === 0 ? 0 : 1;
    },
  },
  {
    name: 'parked show',
    about: 'Show a parked event: what it says, and what was wrong with it.',
    args: [{ name: 'id', about: 'As `parked list` shows it.' }],
    examples: ['parked show 17', 'parked show w17 --json'],
    run: async (run: Run): Promise<Outcome> => {
      const target = await run.target();
      if (isFailure(target)) return target;
      const detail = await (await parkingOf(target)).show(argument(run, 'id'));
      if (isFailure(detail)) return detail;
      const { parked, event } = detail;
      run.tell(
        detail,
        () =>
          `${listing([
            ['by', parked.projection ?? parked.worker],
            ['event', `${event.type} on ${event.stream} at position ${event.position}`],
            ['recorded', event.recordedAt],
            ['parked', parked.parkedAt],
            ['attempts', parked.attempts],
            ['why', parked.waiting ? 'waits behind another' : parked.error],
          ])}\n${jsonOf(event.data, 2)}\n`,
      );
      return 0;
    },
  },
  unpark('retry', 'Take a parked event up again: a read model at once with what waits behind it, a worker soon.', 'It is taken up again.'),
  unpark('discard', 'Leave a parked event out for good.', 'It is left out.'),
];
