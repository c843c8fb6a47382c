import { isRefusal } from '../../schemas/errors.ts';
import type { ExportId } from '../../schemas/ids.ts';
import type { CommandLog } from '../command-log.ts';
import { platformContext } from '../platform-context.ts';
import type { Clock } from '../ports/clock.ts';
import type { IdSource } from '../ports/id-source.ts';
import { runExportCommand } from './run-export-command.ts';

/** Ends exports that are past their time; their files are removed by the worker that made them. Returns how many it ended. */
export const expireExports = async (
  deps: CommandLog & { readonly clock: Clock; readonly ids: IdSource },
  exportIds: readonly ExportId[],
): Promise<number> => {
  let ended = 0;
  for (const exportId of exportIds) {
    const command = { kind: 'expire', now: new Date(deps.clock.now()).toISOString() } as const;
    const answer = await runExportCommand(deps, exportId, command, platformContext(deps.ids, deps.clock, 'exports'));
    if (!isRefusal(answer) && answer.position !== null) ended++;
  }
  return ended;
};
