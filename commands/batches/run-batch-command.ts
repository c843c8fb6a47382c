import { batchOf, batchStream, type Batch, type BatchCommand } from '../../domain/batch/batch.ts';
import type { Refusal } from '../../schemas/errors.ts';
import type { BatchId } from '../../schemas/ids.ts';
import type { CommandContext } from '../command-context.ts';
import type { CommandLog } from '../command-log.ts';
import { runCommand, type CommandResult } from '../run-command.ts';

export const runBatchCommand = (
  deps: CommandLog,
  batchId: BatchId,
  command: BatchCommand,
  context: CommandContext,
): Promise<CommandResult<Batch> | Refusal> => runCommand(deps.log, deps.appender, batchStream(batchId), batchOf(batchId), command, context);
