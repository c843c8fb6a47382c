import { createHash } from 'node:crypto';
import type { CommandId } from '../schemas/ids.ts';
import type { CommandContext } from './command-context.ts';

/**
 * The id of what a command makes, derived from the command's own: a command that comes again makes the same thing, and so
 * nothing new. `part` tells several things of one command apart.
 */
export const derivedId = (prefix: string, commandId: CommandId, part = ''): string =>
  `${prefix}_${createHash('sha256').update(`${prefix}\n${part}\n${commandId}`).digest('hex').slice(0, 26)}`;

/** The context for one step of a command that moves several streams. */
export const stepOf = (context: CommandContext, step: string): CommandContext => ({
  ...context,
  commandId: `${context.commandId}/${step}` as CommandId,
});
