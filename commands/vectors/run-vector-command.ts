import { vectorBatch, vectorBatchStream, type VectorBatch, type VectorBatchCommand } from '../../domain/vectors/vector-batch.ts';
import { vectorFile, vectorFileStream, type VectorFile, type VectorFileCommand } from '../../domain/vectors/vector-file.ts';
import { vectorStore, vectorStoreStream, type VectorStore, type VectorStoreCommand } from '../../domain/vectors/vector-store.ts';
import type { Refusal } from '../../schemas/errors.ts';
import type { FileId, VectorBatchId, VectorStoreId } from '../../schemas/ids.ts';
import type { CommandContext } from '../command-context.ts';
import type { CommandLog } from '../command-log.ts';
import { runCommand, type CommandResult } from '../run-command.ts';

export const runStoreCommand = (
  deps: CommandLog,
  storeId: VectorStoreId,
  command: VectorStoreCommand,
  context: CommandContext,
): Promise<CommandResult<VectorStore> | Refusal> =>
  runCommand(deps.log, deps.appender, vectorStoreStream(storeId), vectorStore, command, context);

export const runVectorFileCommand = (
  deps: CommandLog,
  { storeId, fileId }: { readonly storeId: VectorStoreId; readonly fileId: FileId },
  command: VectorFileCommand,
  context: CommandContext,
): Promise<CommandResult<VectorFile> | Refusal> =>
  runCommand(deps.log, deps.appender, vectorFileStream(storeId, fileId), vectorFile, command, context);

export const runVectorBatchCommand = (
  deps: CommandLog,
  batchId: VectorBatchId,
  command: VectorBatchCommand,
  context: CommandContext,
): Promise<CommandResult<VectorBatch> | Refusal> =>
  runCommand(deps.log, deps.appender, vectorBatchStream(batchId), vectorBatch, command, context);
