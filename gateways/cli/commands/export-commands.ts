import { setTimeout as pause } from 'node:timers/promises';
import { isRefusal } from '../../../schemas/errors.ts';
import type { ExportPage, RequestExport } from '../../../schemas/http/exports.ts';
import type { Wire } from '../../../schemas/http/wire.ts';
import type { ApiClient } from '../api-client.ts';
import type { Command, Option, Outcome, Run } from '../command.ts';
import { EXIT, fail, isFailure, type Failure } from '../failure.ts';
import { ProgressBar, table } from '../render.ts';
import { argument, instantOf, optional, userIdIn } from './given.ts';

type Row = Wire<typeof ExportPage>['rows'][number];
type Asked = Wire<typeof RequestExport>;

/** How often it is looked how far an export is. */
const LOOK_MS = 300;

const ID = { name: 'id', about: 'As `exports list` shows it (exp_…).' } as const;

const OPTIONS: Readonly<Record<string, Option>> = {
  user: { value: 'USER', about: 'Of one user only: id (usr_…) or e-mail address. Everybody’s unless given.' },
  from: { value: 'TIME', about: 'Not before this.' },
  to: { value: 'TIME', about: 'Before this.' },
  format: { value: 'FORMAT', about: 'csv or jsonl; csv unless given. Both are packed with gzip.' },
  out: { value: 'FILE', about: 'Where to put it. Unless given, in this directory under the export’s own name.' },
};

/** Waits until an export is made, and says how far it is. */
const follow = async (run: Run, api: ApiClient, exportId: string, after: string | undefined): Promise<Row | Failure> => {
  const bar = new ProgressBar(run.host.stderr, 'Exporting');
  try {
    for (;;) {
      const row = await api.call('readExport', { params: { exportId }, query: { after } });
      if (isFailure(row) || row.state === 'completed') return row;
      if (row.state !== 'requested') return fail(EXIT.failed, `The export is ${row.state}${row.reason === null ? '' : `: ${row.reason}`}.`);
      bar.show(null, `${row.done ?? 0} rows`);
      if (run.host.interrupted.aborted) return fail(EXIT.failed, `Interrupted. The server goes on; look with: exports list`);
      await pause(LOOK_MS);
    }
  } finally {
    bar.clear();
  }
};

const download = async (run: Run, api: ApiClient, row: Row): Promise<Outcome> => {
  if (row.file === null) return fail(EXIT.refused, `The export is ${row.state}: there is no file.`);
  const content = await api.file('downloadExport', { params: { exportId: row.exportId } });
  if (isFailure(content)) return content;
  const path = run.options.out ?? row.file.name;
  const written = await run.host.writeFile(path, content);
  if (isRefusal(written)) return fail(EXIT.refused, written.message);
  const { rows, bytes, sha256, position } = row.file;
  run.tell(
    { exportId: row.exportId, path, rows, bytes, sha256, position },
    () => `${path}: ${rows} rows as of position ${position}, ${bytes} bytes, SHA-256 ${sha256}\n`,
  );
  return 0;
};

const exportOf = (of: Asked['of'], name: string, about: string): Command => ({
  name,
  about,
  options: OPTIONS,
  examples: [`${name} --from 2026-08-01 --to 2026-09-01`, `${name} --user ada@example.com --format jsonl --out ada.jsonl.gz`],
  run: async (run: Run): Promise<Outcome> => {
    const [from, to] = [optional(run, 'from', instantOf), optional(run, 'to', instantOf)];
    if (isFailure(from)) return from;
    if (isFailure(to)) return to;
    const { format = 'csv', user } = run.options;
    if (format !== 'csv' && format !== 'jsonl') return fail(EXIT.usage, '--format takes csv or jsonl.');
    const api = await run.server();
    if (isFailure(api)) return api;
    const userId = user === undefined ? undefined : await userIdIn(api, user);
    if (isFailure(userId)) return userId;
    const whose = userId === undefined ? { scope: 'all' as const } : { userId };
    const range = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
    const asked = await api.call('requestExport', { body: { of, format, ...whose, ...range } });
    if (isFailure(asked)) return asked;
    const row = await follow(run, api, asked.exportId, asked.position ?? undefined);
    return isFailure(row) ? row : download(run, api, row);
  },
});

export const exportCommands: readonly Command[] = [
  exportOf('journal', 'ledger export', 'Write the journal to a file: what moved balances, with the balance after it.'),
  exportOf('requests', 'exports requests', 'Write the request log to a file.'),
  {
    name: 'exports list',
    about: 'List the operator’s exports and what became of them.',
    examples: ['exports list', 'exports list --json'],
    run: async (run: Run): Promise<Outcome> => {
      const api = await run.server();
      if (isFailure(api)) return api;
      const page = await api.call('listExports', { query: { limit: '200' } });
      if (isFailure(page)) return page;
      run.tell(page.rows, () =>
        table(
          [
            { title: 'ID', cell: ({ exportId }) => exportId },
            { title: 'OF', cell: ({ rows }) => rows.of },
            { title: 'FORMAT', cell: ({ format }) => format },
            { title: 'STATE', cell: ({ state, reason }) => (reason === null ? state : `${state}: ${reason}`) },
            { title: 'ROWS', cell: ({ file, done }) => file?.rows ?? done, right: true },
            { title: 'BYTES', cell: ({ file }) => file?.bytes, right: true },
            { title: 'UNTIL', cell: ({ file, state }) => (state === 'completed' ? file?.expiresAt : '') },
          ],
          page.rows,
        ),
      );
      return 0;
    },
  },
  {
    name: 'exports download',
    about: 'Fetch the file of an export.',
    args: [ID],
    options: { out: { value: 'FILE', about: 'Where to put it. Unless given, in this directory under the export’s own name.' } },
    examples: ['exports download exp_0mb2…', 'exports download exp_0mb2… --out august.csv.gz'],
    run: async (run: Run): Promise<Outcome> => {
      const api = await run.server();
      if (isFailure(api)) return api;
      const row = await api.call('readExport', { params: { exportId: argument(run, 'id') } });
      return isFailure(row) ? row : download(run, api, row);
    },
  },
  {
    name: 'exports cancel',
    about: 'Give up an export that is not done.',
    args: [ID],
    examples: ['exports cancel exp_0mb2…'],
    run: async (run: Run): Promise<Outcome> => {
      const api = await run.server();
      if (isFailure(api)) return api;
      const done = await api.call('cancelExport', { params: { exportId: argument(run, 'id') } });
      if (isFailure(done)) return done;
      run.tell({ id: argument(run, 'id'), done: true }, () => 'It is given up.\n');
      return 0;
    },
  },
];
