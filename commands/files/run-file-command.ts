import { fileOf, fileStream, type FileCommand, type StoredFile } from '../../domain/file/file.ts';
import type { Refusal } from '../../schemas/errors.ts';
import type { FileId } from '../../schemas/ids.ts';
import type { CommandContext } from '../command-context.ts';
import type { CommandLog } from '../command-log.ts';
import { runCommand, type CommandResult } from '../run-command.ts';

export const runFileCommand = (
  deps: CommandLog,
  fileId: FileId,
  command: FileCommand,
  context: CommandContext,
): Promise<CommandResult<StoredFile> | Refusal> =>
  runCommand(deps.log, deps.appender, fileStream(fileId), fileOf(fileId), command, context);
