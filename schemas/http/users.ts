import { z } from 'zod';
import { Email, Role } from '../events/user.ts';
import { UserId } from '../ids.ts';
import { AmountText, MoneyText } from '../money.ts';
import { Instant, TimeZone } from '../time.ts';
import { Caps } from './keys.ts';
import { Password } from './session.ts';
import { Done, PageQuery, pageOf } from './wire.ts';

const DisplayName = z.string().trim().min(1).max(100);
const Group = z.string().trim().min(1).max(64);

export const UserView = z.object({
  userId: UserId,
  email: z.string(),
  displayName: z.string(),
  role: Role,
  group: z.string(),
  status: z.enum(['active', 'suspended']),
  suspendedReason: z.string().nullable(),
  balance: MoneyText,
  held: AmountText,
  spentTotal: AmountText,
  caps: Caps,
  createdAt: Instant,
  /** For `If-Match`. */
  revision: z.int(),
});

export const UserQuery = z.object({
  ...PageQuery,
  search: z.string().max(100).optional(),
  role: Role.optional(),
  status: z.enum(['active', 'suspended']).optional(),
});
export const UserPage = pageOf(UserView);

/** Without a password one is made and shown once. */
export const CreateUser = z.object({
  email: Email,
  displayName: DisplayName,
  role: Role.default('user'),
  group: Group.default('default'),
  timeZone: TimeZone.default('UTC'),
  password: Password.optional(),
});
export const UserCreated = z.object({ ...Done.shape, userId: UserId, password: z.string().nullable() });

export const AssignRole = z.object({ role: Role });
export const AssignGroup = z.object({ group: Group });
export const GrantCredit = z.object({ amount: AmountText, reason: z.string().trim().min(1).max(500) });
/** Shown once. */
export const PasswordReset = z.object({ ...Done.shape, password: z.string() });

export const ProfileView = z.object({ user: UserView, timeZone: z.string(), spentToday: AmountText, spentThisMonth: AmountText });
export const ChangeProfile = z.object({ email: Email.optional(), displayName: DisplayName.optional() });
export const ChangePassword = z.object({ currentPassword: Password, newPassword: Password });
/** Other sessions are void from here on; this one goes on with a new cookie and token. */
export const PasswordChanged = z.object({ ...Done.shape, csrfToken: z.string() });
