import { notificationOf, notificationStream, type Notification, type NotificationCommand } from '../../domain/notification/notification.ts';
import type { Refusal } from '../../schemas/errors.ts';
import type { NotificationId } from '../../schemas/ids.ts';
import type { CommandContext } from '../command-context.ts';
import type { CommandLog } from '../command-log.ts';
import { runCommand, type CommandResult } from '../run-command.ts';

export const runNotificationCommand = (
  deps: CommandLog,
  notificationId: NotificationId,
  command: NotificationCommand,
  context: CommandContext,
): Promise<CommandResult<Notification> | Refusal> =>
  runCommand(deps.log, deps.appender, notificationStream(notificationId), notificationOf(notificationId), command, context);
