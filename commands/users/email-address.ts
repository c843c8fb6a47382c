import { createHash } from 'node:crypto';
import { emailClaim, emailStream } from '../../domain/user/email-claim.ts';
import { userOf, userStream } from '../../domain/user/user.ts';
import { isRefusal, type Refusal } from '../../schemas/errors.ts';
import type { UserId } from '../../schemas/ids.ts';
import type { CommandContext } from '../command-context.ts';
import type { CommandLog } from '../command-log.ts';
import { stepOf } from '../derived-id.ts';
import type { Clock } from '../ports/clock.ts';
import { readState } from '../read-state.ts';
import { runCommand } from '../run-command.ts';

export const emailStreamOf = (email: string): ReturnType<typeof emailStream> =>
  emailStream(createHash('sha256').update(`email\n${email.toLowerCase()}`).digest('hex').slice(0, 40));

/** A registration that has not come to its end by then never will. */
const ABANDONED_MS = 60_000;

/** The user who claimed the address and then never used it: a registration or a change of address died half-way. */
const abandonedBy = async ({ log }: CommandLog, email: string, now: number): Promise<UserId | null> => {
  const holder = await readState(log, emailStreamOf(email), emailClaim);
  if (holder === null) return null;
  for await (const { recordedAt } of log.readStream(emailStreamOf(email), { direction: 'backwards', limit: 1 }))
    if (now - Date.parse(recordedAt) < ABANDONED_MS) return null;
  const user = await readState(log, userStream(holder), userOf(holder));
  return user.registered && user.email.toLowerCase() === email.toLowerCase() ? null : holder;
};

/** Makes the address this user's; refused while it is another's. */
export const claimEmail = async (
  deps: CommandLog & { readonly clock: Clock },
  email: string,
  userId: UserId,
  context: CommandContext,
): Promise<null | Refusal> => {
  const claimed = await runCommand(
    deps.log,
    deps.appender,
    emailStreamOf(email),
    emailClaim,
    { kind: 'claim', userId },
    stepOf(context, 'claim-email'),
  );
  if (!isRefusal(claimed)) return null;
  if (claimed.refused !== 'already_exists') return claimed;
  const from = await abandonedBy(deps, email, deps.clock.now());
  if (from === null) return claimed;
  const taken = await runCommand(
    deps.log,
    deps.appender,
    emailStreamOf(email),
    emailClaim,
    { kind: 'takeOver', userId, from },
    stepOf(context, 'take-over-email'),
  );
  return isRefusal(taken) ? taken : null;
};

/** Lets others have the address. Harmless when it is not this user's. */
export const releaseEmail = async (deps: CommandLog, email: string, userId: UserId, context: CommandContext): Promise<null | Refusal> => {
  const released = await runCommand(
    deps.log,
    deps.appender,
    emailStreamOf(email),
    emailClaim,
    { kind: 'release', userId },
    stepOf(context, 'release-email'),
  );
  return isRefusal(released) ? released : null;
};
