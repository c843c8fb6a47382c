import { createHash } from 'node:crypto';
import type { CommandId } from '../schemas/ids.ts';
import type { CommandContext } from './command-context.ts';

/** Command ids are request ids, or ids made like them, perhaps with a step behind: their first nine characters are a time that sorts. */
const TIMED = /^[a-z]+_([0-9a-z]{9})[0-9a-z]{16}(?:\/|$)/;

/**
 * The id of what a command makes, derived from the command's own: a command that comes again makes the same thing, and so
 * nothing new. It sorts by age as the command's does. `part` tells several things of one command apart.
 */
export const derivedId = (prefix: string, commandId: CommandId, part = ''): string => {
  const digest = createHash('sha256').update(`${prefix}\n${part}\n${commandId}`).digest('hex');
  const time = TIMED.exec(commandId)?.[1] ?? digest.slice(-9);
  return `${prefix}_${time}${digest.slice(0, 20)}`;
};

/** The context for one step of a command that moves several streams. */
export const stepOf = (context: CommandContext, step: string): CommandContext => ({
  ...context,
  commandId: `${context.commandId}/${step}` as CommandId,
});
