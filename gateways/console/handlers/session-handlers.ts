import type { z } from 'zod';
import { checkCredentials } from '../../../commands/users/known-user.ts';
import { isRefusal } from '../../../schemas/errors.ts';
import type { SessionView } from '../../../schemas/http/session.ts';
import type { Caller, SignedIn } from '../caller.ts';
import type { Handlers } from '../handler.ts';
import type { Sessions } from '../sessions.ts';
import type { HandlerDeps } from './handler-deps.ts';

const NOBODY = { signedIn: false } as const;

const viewOf = (sessions: Sessions, { userId, email, displayName, role, group, session }: SignedIn): z.output<typeof SessionView> => ({
  signedIn: true,
  user: { userId, email, displayName, role, group },
  csrfToken: sessions.csrfToken(session),
  expiresAt: new Date(session.expiresAt).toISOString(),
});

const signedIn = (caller: Caller | null): caller is SignedIn => caller?.kind === 'user';

export const sessionHandlers = (deps: HandlerDeps): Pick<Handlers, 'readSession' | 'signIn' | 'signOut'> => ({
  readSession: async ({ caller }) => (signedIn(caller) ? viewOf(deps.sessions, caller) : NOBODY),

  signIn: async ({ body: { email, password }, address, cookie }) => {
    const held = await deps.throttle.begin(email, address);
    if (held !== null) return held;
    const known = await checkCredentials(deps, email, password);
    if (isRefusal(known)) {
      if (known.refused !== 'wrong_credentials') deps.throttle.withdrawn(email, address);
      return known;
    }
    deps.throttle.succeeded(email, address);
    const session = deps.sessions.begin(known.userId, known.credentialsRevision);
    cookie.set(session);
    const { displayName, role, group } = known.user;
    return viewOf(deps.sessions, { kind: 'user', userId: known.userId, email: known.user.email, displayName, role, group, session });
  },

  signOut: async ({ caller, cookie }) => {
    if (signedIn(caller)) deps.sessions.end(caller.session);
    cookie.clear();
    return NOBODY;
  },
});
