import type { SignedIn } from './caller.ts';
import type { Sessions } from './sessions.ts';
import type { UserChanges } from './user-changes.ts';

/** How often it is looked whether a session was ended or has expired, which no event tells. */
const LOOK_MS = 500;

/**
 * Watches over an answer that goes on: `end` is called once the session no longer holds, or its user has another role, since what is shown
 * depends on it. Answers with the way to stop watching.
 */
export const watchSession = (
  { session, userId, role }: SignedIn,
  { sessions, userChanges }: { readonly sessions: Sessions; readonly userChanges: UserChanges },
  end: () => void,
): (() => void) => {
  const look = setInterval(() => {
    if (!sessions.isOpen(session)) end();
  }, LOOK_MS);
  look.unref();
  const unlisten = userChanges.listen(userId, () => {
    sessions.holds(session).then((now) => {
      if (now?.role !== role) end();
    }, end);
  });
  return () => {
    clearInterval(look);
    unlisten();
  };
};
