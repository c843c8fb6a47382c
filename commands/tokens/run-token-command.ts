import { tokenOf, tokenStream, type Token, type TokenCommand } from '../../domain/token/token.ts';
import { refuse, type Refusal } from '../../schemas/errors.ts';
import type { Revision } from '../../schemas/event-envelope.ts';
import type { TokenId, UserId } from '../../schemas/ids.ts';
import type { CommandContext } from '../command-context.ts';
import type { CommandLog } from '../command-log.ts';
import { runCommand, type CommandResult } from '../run-command.ts';

export interface TokenCommandOptions {
  /** Whose key it must be; to everybody else it does not exist. Absent: anybody's. */
  readonly ownedBy?: UserId;
  readonly expectedRevision?: Revision;
}

/** Runs a command on an API key. A new expiry must lie ahead, by the clock of whoever asks. */
export const runTokenCommand = async (
  deps: CommandLog,
  tokenId: TokenId,
  command: Exclude<TokenCommand, { kind: 'issue' }>,
  context: CommandContext,
  { ownedBy, expectedRevision }: TokenCommandOptions = {},
): Promise<CommandResult<Token> | Refusal> => {
  if (command.kind === 'renew' && typeof command.expiresAt === 'string' && command.expiresAt <= context.occurredAt)
    return refuse('invalid_request', 'The expiry must lie in the future.', { param: 'expiresAt' });
  const decider = tokenOf(tokenId);
  const owned =
    ownedBy === undefined
      ? decider
      : {
          ...decider,
          decide: (asked: TokenCommand, state: Token) =>
            state.userId === ownedBy ? decider.decide(asked, state) : refuse('not_found', 'There is no such key.'),
        };
  return runCommand(deps.log, deps.appender, tokenStream(tokenId), owned, command, context, expectedRevision);
};
