import { setTimeout as pause } from 'node:timers/promises';
import { isRefusal } from '../../../schemas/errors.ts';
import type { ProjectionCompared, ProjectionList } from '../../../schemas/http/projections.ts';
import type { Wire } from '../../../schemas/http/wire.ts';
import type { Command, Outcome, Run, Target } from '../command.ts';
import { EXIT, fail, isFailure, type Failure } from '../failure.ts';
import { ProgressBar, table } from '../render.ts';

type Status = Wire<typeof ProjectionList>['rows'];

const NAME = { name: 'projection', about: 'Name of the read model; every one unless given.', optional: true } as const;

/** How often it is looked how far a rebuild is. */
const LOOK_MS = 250;

/** The care for read models, wherever they are. */
interface Care {
  status(): Promise<Status | Failure>;
  rebuild(name: string): Promise<null | Failure>;
  compare(name: string): Promise<Wire<typeof ProjectionCompared> | Failure>;
}

const careOf = async (target: Target): Promise<Care> => {
  if (target.kind === 'server') {
    const { api } = target;
    return {
      status: async () => {
        const list = await api.call('listProjections', {});
        return isFailure(list) ? list : list.rows;
      },
      rebuild: async (name) => {
        const begun = await api.call('rebuildProjection', { params: { name } });
        return isFailure(begun) ? begun : null;
      },
      compare: (name) => api.call('compareProjection', { params: { name } }),
    };
  }
  const care = await target.data.care();
  const orFailure = <Answer>(answer: Answer): Exclude<Answer, { readonly refused: string }> | Failure =>
    isRefusal(answer) ? fail(EXIT.refused, answer.message) : (answer as Exclude<Answer, { readonly refused: string }>);
  return {
    status: async () => (await care.status()).rows,
    rebuild: async (name) => {
      const begun = orFailure(await care.rebuild(name));
      return isFailure(begun) ? begun : null;
    },
    compare: async (name) => orFailure(await care.compare(name)),
  };
};

/** The read models that were asked for. */
const chosen = async (care: Care, name: string | undefined): Promise<Status | Failure> => {
  const all = await care.status();
  if (isFailure(all) || name === undefined) return all;
  const found = all.filter((row) => row.name === name);
  return found.length > 0
    ? found
    : fail(EXIT.refused, `There is no read model ${name}. There are: ${all.map((row) => row.name).join(', ')}.`);
};

/** Follows a rebuild to its end. */
const follow = async (run: Run, care: Care, before: Status[number]): Promise<null | Failure> => {
  const { name } = before;
  const bar = new ProgressBar(run.host.stderr, name);
  try {
    for (;;) {
      const all = await care.status();
      if (isFailure(all)) return all;
      const now = all.find((row) => row.name === name);
      if (now === undefined) return fail(EXIT.failed, `${name} is gone.`);
      if (now.lastRebuild !== null && now.lastRebuild.endedAt !== before.lastRebuild?.endedAt)
        return now.lastRebuild.failure === null
          ? null
          : fail(EXIT.failed, `${name} could not be rebuilt, and is as it was: ${now.lastRebuild.failure}`);
      bar.show(now.rebuild?.progress ?? 0);
      if (run.host.interrupted.aborted) return fail(EXIT.failed, 'Interrupted. A server goes on with the rebuild all the same.');
      await pause(LOOK_MS);
    }
  } finally {
    bar.clear();
  }
};

const statusTable = (rows: Status): string =>
  table(
    [
      { title: 'PROJECTION', cell: ({ name }) => name },
      { title: 'VERSION', cell: ({ version }) => version, right: true },
      { title: 'STATE', cell: ({ state, rebuild }) => (rebuild === null ? state : `${state} ${Math.floor(rebuild.progress * 100)}%`) },
      { title: 'POSITION', cell: ({ position }) => position, right: true },
      { title: 'BEHIND', cell: ({ behind }) => behind, right: true },
      { title: 'LAG', cell: ({ lagMs }) => (lagMs === null ? '' : `${(lagMs / 1_000).toFixed(1)} s`), right: true },
      { title: 'PARKED', cell: ({ parked }) => parked, right: true },
    ],
    rows,
  );

export const projectionCommands: readonly Command[] = [
  {
    name: 'projections list',
    about: 'List read models and how far they are.',
    examples: ['projections list', 'projections list --json'],
    run: async (run: Run): Promise<Outcome> => {
      const target = await run.target();
      if (isFailure(target)) return target;
      const rows = await (await careOf(target)).status();
      if (isFailure(rows)) return rows;
      run.tell(rows, () => statusTable(rows));
      return 0;
    },
  },
  {
    name: 'projections status',
    about: 'Say whether read models are up to date. Exit code 1 when one is behind, or holds parked events.',
    args: [NAME],
    examples: ['projections status', 'projections status journal'],
    run: async (run: Run): Promise<Outcome> => {
      const target = await run.target();
      if (isFailure(target)) return target;
      const rows = await chosen(await careOf(target), run.args.projection);
      if (isFailure(rows)) return rows;
      run.tell(rows, () => statusTable(rows));
      return rows.every(({ state, parked }) => state === 'live' && parked === 0) ? 0 : 1;
    },
  },
  {
    name: 'projections rebuild',
    about: 'Make read models anew from the log beside the live ones, and switch when they are done.',
    args: [NAME],
    examples: ['projections rebuild journal', 'projections rebuild'],
    run: async (run: Run): Promise<Outcome> => {
      const target = await run.target();
      if (isFailure(target)) return target;
      const care = await careOf(target);
      const rows = await chosen(care, run.args.projection);
      if (isFailure(rows)) return rows;
      for (const row of rows) {
        const begun = await care.rebuild(row.name);
        if (begun !== null) return begun;
        const ended = await follow(run, care, row);
        if (ended !== null) return ended;
        run.note(`${row.name} is rebuilt.`);
      }
      run.tell(
        rows.map(({ name, version }) => ({ name, version, rebuilt: true })),
        () => '',
      );
      return 0;
    },
  },
  {
    name: 'projections compare',
    about: 'Rebuild read models aside and compare digests. Exit code 1 when one differs.',
    args: [NAME],
    examples: ['projections compare', 'projections compare journal --json'],
    run: async (run: Run): Promise<Outcome> => {
      const target = await run.target();
      if (isFailure(target)) return target;
      const care = await careOf(target);
      const rows = await chosen(care, run.args.projection);
      if (isFailure(rows)) return rows;
      const bar = new ProgressBar(run.host.stderr, 'Comparing');
      const compared: Wire<typeof ProjectionCompared>[] = [];
      try {
        for (const [index, { name }] of rows.entries()) {
          bar.show(index / rows.length, name);
          const one = await care.compare(name);
          if (isFailure(one)) return one;
          compared.push(one);
        }
      } finally {
        bar.clear();
      }
      run.tell(compared, () =>
        table(
          [
            { title: 'PROJECTION', cell: ({ name }) => name },
            { title: 'POSITION', cell: ({ position }) => position, right: true },
            { title: 'ROWS', cell: (one) => one.rows, right: true },
            { title: 'LIVE', cell: ({ liveDigest }) => liveDigest },
            { title: 'REBUILT', cell: ({ rebuiltDigest }) => rebuiltDigest },
            { title: '', cell: ({ equal }) => (equal ? 'equal' : 'DIFFERENT') },
          ],
          compared,
        ),
      );
      return compared.every(({ equal }) => equal) ? 0 : 1;
    },
  },
];
