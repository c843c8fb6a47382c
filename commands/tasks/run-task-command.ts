import { taskOf, taskStream, type Task, type TaskCommand } from '../../domain/task/task.ts';
import type { Refusal } from '../../schemas/errors.ts';
import type { TaskId } from '../../schemas/ids.ts';
import type { CommandContext } from '../command-context.ts';
import type { CommandLog } from '../command-log.ts';
import { runCommand, type CommandResult } from '../run-command.ts';

export const runTaskCommand = (
  deps: CommandLog,
  taskId: TaskId,
  command: TaskCommand,
  context: CommandContext,
): Promise<CommandResult<Task> | Refusal> => runCommand(deps.log, deps.appender, taskStream(taskId), taskOf(taskId), command, context);
