import { derivedId } from '../../../commands/derived-id.ts';
import { runExportCommand } from '../../../commands/exports/run-export-command.ts';
import { exportStream } from '../../../domain/export/export.ts';
import { isRefusal, refuse, type Refusal } from '../../../schemas/errors.ts';
import type { ExportedRows } from '../../../schemas/events/export.ts';
import { ExportId, type UserId } from '../../../schemas/ids.ts';
import type { ExportOf } from '../../ports/console-reads.ts';
import { isAdministrator, type Caller } from '../caller.ts';
import type { Handlers } from '../handler.ts';
import { doneAt, ownerOf, pageOf, positionText } from './audience.ts';
import type { HandlerDeps } from './handler-deps.ts';

type ExportHandlers = Pick<Handlers, 'listExports' | 'requestExport' | 'readExport' | 'cancelExport' | 'downloadExport'>;
type Asked = Parameters<Handlers['requestExport']>[0]['body'];

/** Exports of one user that are not done yet: each costs a walk through the rows. */
const MOST_UNFINISHED = 5;

const NO_SUCH_EXPORT = refuse('not_found', 'There is no such export.');

/** Exports are whose they are: not even administrators see those of others. */
const requesterOf = (caller: Caller): UserId | null => (caller.kind === 'user' ? caller.userId : null);

const rowsOf = (caller: Caller, { format: _format, ...asked }: Asked): ExportedRows | Refusal => {
  const owner = ownerOf(caller, asked);
  if (isRefusal(owner)) return owner;
  const { scope: _scope, userId: _userId, ...filter } = asked;
  const range = {
    ...(filter.from === undefined ? {} : { from: new Date(filter.from).toISOString() }),
    ...(filter.to === undefined ? {} : { to: new Date(filter.to).toISOString() }),
  };
  return filter.of === 'journal' ? { ...filter, ...range, owner, view: filter.view ?? 'statement' } : { ...filter, ...range, owner };
};

export const exportHandlers = (deps: HandlerDeps): ExportHandlers => {
  const { reads, workers, exportStore } = deps;

  const withProgress = async (rows: readonly ExportOf[]): Promise<ExportOf[]> => {
    const unfinished = rows.filter(({ state }) => state === 'requested').map(({ exportId }) => exportStream(exportId));
    const progress = await workers.progress('exports', unfinished);
    return rows.map((row) => ({ ...row, done: progress.get(exportStream(row.exportId)) ?? null }));
  };

  const own = async (caller: Caller, exportId: ExportId): Promise<ExportOf | null> => {
    const found = await reads.export(exportId);
    return found === null || found.requestedBy !== requesterOf(caller) ? null : found;
  };

  return {
    listExports: async ({ caller, query }) => {
      const { rows, nextCursor } = await reads.exports(requesterOf(caller), pageOf(query));
      return { rows: await withProgress(rows), nextCursor };
    },

    requestExport: async ({ caller, body, context }) => {
      const requestedBy = requesterOf(caller);
      const rows = rowsOf(caller, body);
      if (isRefusal(rows)) return rows;
      if ((await reads.unfinishedExports(requestedBy)) >= MOST_UNFINISHED)
        return refuse('too_many_in_flight', `${MOST_UNFINISHED} exports are being made for you already. Wait for one, or cancel it.`);
      const command = context(requestedBy ?? 'platform');
      const exportId = ExportId.parse(derivedId('exp', command.commandId));
      const withCosts = isAdministrator(caller);
      const answer = await runExportCommand(
        deps,
        exportId,
        { kind: 'request', requestedBy, rows, format: body.format, withCosts },
        command,
      );
      return isRefusal(answer) ? answer : { exportId, position: positionText(answer.position) };
    },

    readExport: async ({ caller, params }) => {
      const found = await own(caller, params.exportId);
      return found === null ? NO_SUCH_EXPORT : ((await withProgress([found]))[0] ?? NO_SUCH_EXPORT);
    },

    cancelExport: async ({ caller, params: { exportId }, context }) => {
      if ((await own(caller, exportId)) === null) return NO_SUCH_EXPORT;
      return doneAt(await runExportCommand(deps, exportId, { kind: 'cancel' }, context(requesterOf(caller) ?? 'platform')));
    },

    downloadExport: async ({ caller, params: { exportId } }) => {
      const found = await own(caller, exportId);
      if (found === null) return NO_SUCH_EXPORT;
      // Who asked as an administrator may be none any more.
      if (found.rows.owner !== found.requestedBy && !isAdministrator(caller))
        return refuse('forbidden', 'Only administrators see what others do.');
      if (found.state !== 'completed' || found.file === null)
        return refuse('wrong_state', `The export is ${found.state}: there is no file.`);
      const file = await exportStore.read(found.file.name);
      if (file === null)
        return refuse(
          'wrong_state',
          'The file is not where this process looks: another one wrote it. The operator has to set OBLIVIOUS_EXPORT_DIRECTORY to a directory that all of them share.',
        );
      return { name: found.file.name, ...file };
    },
  };
};
