import { z } from 'zod';
import { Role } from '../../schemas/events/user.ts';
import { UserId } from '../../schemas/ids.ts';
import { Sealed } from '../../schemas/sealed.ts';
import { Instant } from '../../schemas/time.ts';
import { tableName } from '../engine/projection.ts';

export const USERS = { name: 'users', version: 1 } as const;

export const userTable = tableName(USERS.name, USERS.version);

export const UserDocument = z.object({
  userId: UserId,
  email: z.string(),
  displayName: z.string(),
  role: Role,
  group: z.string(),
  suspended: z.boolean(),
  suspendedReason: z.string().nullable(),
  /** The sealed hash; `null` when no password was ever set. */
  passwordHash: Sealed.nullable(),
  /** Revision of the last change of credentials: a session that began at a lower one is void. */
  credentialsRevision: z.int().nullable(),
  createdAt: Instant,
  revision: z.int(),
});
export type UserDocument = z.infer<typeof UserDocument>;
