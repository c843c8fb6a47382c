import { changePassword } from '../../../commands/users/change-password.ts';
import { changeProfile } from '../../../commands/users/change-profile.ts';
import { knowsPassword } from '../../../commands/users/known-user.ts';
import { isRefusal, refuse } from '../../../schemas/errors.ts';
import type { Handlers } from '../handler.ts';
import { doneAt, positionText, selfOf } from './audience.ts';
import type { HandlerDeps } from './handler-deps.ts';

export const accountHandlers = (deps: HandlerDeps): Pick<Handlers, 'readAccount' | 'changeProfile' | 'changePassword'> => ({
  readAccount: async ({ caller }) => {
    const userId = selfOf(caller);
    return isRefusal(userId) ? userId : ((await deps.reads.profile(userId)) ?? refuse('read_model_behind'));
  },

  changeProfile: async ({ caller, body: { email, displayName }, context }) => {
    const userId = selfOf(caller);
    if (isRefusal(userId)) return userId;
    const change = { ...(email === undefined ? {} : { email }), ...(displayName === undefined ? {} : { displayName }) };
    return doneAt(await changeProfile(deps, { userId, ...change }, context(userId)));
  },

  changePassword: async ({ caller, body, context, cookie, address }) => {
    if (caller.kind !== 'user') return refuse('not_found', 'The operator has no password.');
    const { userId, email } = caller;
    // Somebody at an unlocked screen may guess at the old password here: as slowly as at the door.
    const held = await deps.throttle.begin(email, address);
    if (held !== null) return held;
    const knows = await knowsPassword(deps, userId, body.currentPassword);
    if (isRefusal(knows)) {
      deps.throttle.withdrawn(email, address);
      return knows;
    }
    if (!knows) return refuse('wrong_credentials', 'The current password is wrong.', { param: 'currentPassword' });
    deps.throttle.succeeded(email, address);
    const changed = await changePassword(deps, userId, body.newPassword, context(userId));
    if (isRefusal(changed)) return changed.refused === 'weak_password' ? { ...changed, param: 'newPassword' } : changed;
    const session = deps.sessions.begin(userId, changed.credentialsRevision);
    cookie.set(session);
    return { position: positionText(changed.position), csrfToken: deps.sessions.csrfToken(session) };
  },
});
