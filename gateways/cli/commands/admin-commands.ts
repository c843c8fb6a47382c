import { emailStreamOf } from '../../../commands/users/email-address.ts';
import { resetPassword } from '../../../commands/users/change-password.ts';
import { readState } from '../../../commands/read-state.ts';
import { emailClaim } from '../../../domain/user/email-claim.ts';
import { isRefusal } from '../../../schemas/errors.ts';
import { CommandId, UserId } from '../../../schemas/ids.ts';
import type { OpenedData } from '../../ports/command-line-host.ts';
import type { Command, Outcome, Run } from '../command.ts';
import { EXIT, fail, isFailure, type Failure } from '../failure.ts';
import { listing } from '../render.ts';
import { argument, userIdIn } from './given.ts';

/** On the data themselves: whoever can read them has the keys to them already. */
const resetOn = async (data: OpenedData, asked: string): Promise<{ readonly userId: string; readonly password: string } | Failure> => {
  const userId = UserId.safeParse(asked.includes('@') ? await readState(data.log, emailStreamOf(asked), emailClaim) : asked);
  if (!userId.success) return fail(EXIT.refused, `There is no user ${asked}.`);
  const commandId = CommandId.parse(data.ids.next('cmd'));
  const context = {
    commandId,
    correlationId: commandId,
    causationId: commandId,
    actor: { kind: 'operator', id: 'operator' } as const,
    tenant: userId.data,
    occurredAt: new Date(data.clock.now()).toISOString(),
  };
  const reset = await resetPassword(data, userId.data, context);
  return isRefusal(reset) ? fail(EXIT.refused, reset.message) : { userId: userId.data, password: reset.password };
};

export const adminCommands: readonly Command[] = [
  {
    name: 'admin reset-password',
    about: 'Give somebody a new password, shown this once, and end their sessions.',
    args: [{ name: 'user', about: 'Id (usr_…) or e-mail address.' }],
    examples: ['admin reset-password admin@oblivious.local'],
    run: async (run: Run): Promise<Outcome> => {
      const target = await run.target();
      if (isFailure(target)) return target;
      const asked = argument(run, 'user');
      let reset: { readonly userId: string; readonly password: string } | Failure;
      if (target.kind === 'data') reset = await resetOn(target.data, asked);
      else {
        const userId = await userIdIn(target.api, asked);
        if (isFailure(userId)) return userId;
        const done = await target.api.call('resetPassword', { params: { userId } });
        reset = isFailure(done) ? done : { userId, password: done.password };
      }
      if (isFailure(reset)) return reset;
      const { userId, password } = reset;
      run.tell(reset, () =>
        listing([
          ['user', userId],
          ['password', `${password}   (shown this once)`],
        ]),
      );
      return 0;
    },
  },
];
