import { sealingKeyOf } from '../../../commands/installation/sealing-key.ts';
import { emailStreamOf } from '../../../commands/users/email-address.ts';
import { resetPassword } from '../../../commands/users/change-password.ts';
import { readState } from '../../../commands/read-state.ts';
import { emailClaim } from '../../../domain/user/email-claim.ts';
import { isRefusal } from '../../../schemas/errors.ts';
import { CommandId, UserId } from '../../../schemas/ids.ts';
import { keyIdOf } from '../../../schemas/sealed.ts';
import type { OpenedData } from '../../ports/command-line-host.ts';
import type { Command, Outcome, Run } from '../command.ts';
import { EXIT, fail, isFailure, type Failure } from '../failure.ts';
import { listing } from '../render.ts';
import { argument, userIdIn } from './given.ts';

const otherKey = (keyId: string, ownKeyId: string): string =>
  `The installation works under master key ${keyId}, and this command has ${ownKeyId}. Give it the right one, with OBLIVIOUS_MASTER_KEY or in the data ` +
  'directory. Only where that is lost for good: --adopt-key.';

/** On the data themselves: whoever can read them has the keys to them already. */
const resetOn = async (
  data: OpenedData,
  asked: string,
  adoptsKey: boolean,
): Promise<{ readonly userId: string; readonly password: string } | Failure> => {
  const keyId = await sealingKeyOf(data.log);
  const ownKeyId = keyIdOf(data.secretBox.seal('', 'whose key it is'));
  if (keyId !== null && keyId !== ownKeyId && !adoptsKey) return fail(EXIT.refused, otherKey(keyId, ownKeyId));
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
    options: {
      'adopt-key': {
        about:
          'The master key is lost: with the password of the first administrator the installation goes over to the one that is there now. API keys and the secrets of channels have to be made anew.',
      },
    },
    examples: ['admin reset-password admin@oblivious.local'],
    run: async (run: Run): Promise<Outcome> => {
      const target = await run.target();
      if (isFailure(target)) return target;
      const asked = argument(run, 'user');
      let reset: { readonly userId: string; readonly password: string } | Failure;
      if (target.kind === 'data') reset = await resetOn(target.data, asked, run.switches.has('adopt-key'));
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
