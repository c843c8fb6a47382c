import { setCaps } from '../../../commands/tokens/set-caps.ts';
import { resetPassword } from '../../../commands/users/change-password.ts';
import { registerUser } from '../../../commands/users/register-user.ts';
import { runUserCommand, type DirectUserCommand } from '../../../commands/users/run-user-command.ts';
import { isRefusal, refuse, type Refusal } from '../../../schemas/errors.ts';
import type { UserId } from '../../../schemas/ids.ts';
import type { Call, Handlers } from '../handler.ts';
import type { Route } from '../route.ts';
import { doneAt, pageOf, positionText } from './audience.ts';
import type { HandlerDeps } from './handler-deps.ts';

type UserHandlers = Pick<
  Handlers,
  | 'listUsers'
  | 'createUser'
  | 'readUser'
  | 'suspendUser'
  | 'reinstateUser'
  | 'assignRole'
  | 'assignGroup'
  | 'grantCredit'
  | 'setUserCaps'
  | 'resetPassword'
>;

type UserCall = Pick<Call<Route & { readonly auth: 'admin' }>, 'context' | 'expectedRevision'> & {
  readonly params: { readonly userId: UserId };
};

export const userHandlers = (deps: HandlerDeps): UserHandlers => {
  const run = async (
    { params, context, expectedRevision }: UserCall,
    command: DirectUserCommand,
  ): Promise<{ readonly position: string | null } | Refusal> =>
    doneAt(await runUserCommand(deps, params.userId, command, context(params.userId), expectedRevision));

  return {
    listUsers: ({ query }) => deps.reads.users({ search: query.search, role: query.role, status: query.status }, pageOf(query)),
    readUser: async ({ params }) => (await deps.reads.user(params.userId)) ?? refuse('not_found', 'There is no such user.'),
    createUser: async ({ body: { password, ...profile }, context }) => {
      const registered = await registerUser(deps, { ...profile, ...(password === undefined ? {} : { password }) }, context('platform'));
      return isRefusal(registered) ? registered : { ...registered, position: positionText(registered.position) };
    },
    suspendUser: (call) => run(call, { kind: 'suspend', reason: call.body.reason ?? '' }),
    reinstateUser: (call) => run(call, { kind: 'reinstate' }),
    assignRole: (call) => run(call, { kind: 'assignRole', role: call.body.role }),
    assignGroup: (call) => run(call, { kind: 'assignGroup', group: call.body.group }),
    grantCredit: async ({ params, body, context }) =>
      doneAt(await deps.book.execute(params.userId, { kind: 'grantCredit', source: 'admin', ...body }, context(params.userId))),
    setUserCaps: async ({ params, body, context }) =>
      doneAt(await setCaps(deps.book, params.userId, { kind: 'user' }, body, context(params.userId))),
    resetPassword: async ({ params, context }) => {
      const reset = await resetPassword(deps, params.userId, context(params.userId));
      return isRefusal(reset) ? reset : { password: reset.password, position: positionText(reset.position) };
    },
  };
};
