import { z } from 'zod';
import { Email, Role } from '../events/user.ts';
import { UserId } from '../ids.ts';
import { Instant } from '../time.ts';

/** As long as anyone may want; argon2id has no limit of its own. */
export const Password = z.string().min(1).max(1_024);

export const SignIn = z.object({ email: Email, password: Password });

export const SignedInUser = z.object({ userId: UserId, email: z.string(), displayName: z.string(), role: Role, group: z.string() });

/** `csrfToken` goes into the header `x-csrf-token` of every call that changes something. */
export const SessionView = z.discriminatedUnion('signedIn', [
  z.object({ signedIn: z.literal(false) }),
  z.object({ signedIn: z.literal(true), user: SignedInUser, csrfToken: z.string(), expiresAt: Instant }),
]);
