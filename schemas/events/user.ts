import { z } from 'zod';
import { UserId } from '../ids.ts';
import { Sealed } from '../sealed.ts';

export const Role = z.enum(['admin', 'user']);
export type Role = z.infer<typeof Role>;

export const Email = z
  .email()
  .max(254)
  .transform((address) => address.toLowerCase());

const ProfileFields = { email: z.email().max(254), displayName: z.string().min(1).max(100) };

export const userEvents = {
  Registered: z.object({ userId: UserId, ...ProfileFields, role: Role, group: z.string().max(64) }),
  ProfileChanged: z.object({ userId: UserId, ...ProfileFields }),
  RoleAssigned: z.object({ userId: UserId, role: Role }),
  GroupAssigned: z.object({ userId: UserId, group: z.string().max(64) }),
  /** The argon2id hash of the new password, sealed. Sessions begun before this event are void. */
  CredentialsChanged: z.object({ userId: UserId, passwordHash: Sealed }),
  Suspended: z.object({ userId: UserId, reason: z.string().max(500) }),
  Reinstated: z.object({ userId: UserId }),
} as const;
