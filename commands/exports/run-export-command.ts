import { exportOf, exportStream, type Export, type ExportCommand } from '../../domain/export/export.ts';
import type { Refusal } from '../../schemas/errors.ts';
import type { ExportId } from '../../schemas/ids.ts';
import type { CommandContext } from '../command-context.ts';
import type { CommandLog } from '../command-log.ts';
import { runCommand, type CommandResult } from '../run-command.ts';

export const runExportCommand = (
  deps: CommandLog,
  exportId: ExportId,
  command: ExportCommand,
  context: CommandContext,
): Promise<CommandResult<Export> | Refusal> =>
  runCommand(deps.log, deps.appender, exportStream(exportId), exportOf(exportId), command, context);
