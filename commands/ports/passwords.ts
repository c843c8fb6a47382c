import type { Refusal } from '../../schemas/errors.ts';

/** How passwords are made, kept and checked. Hashing is slow on purpose and runs beside the event loop, a few at a time. */
export interface Passwords {
  /** A random one, about 100 bits, easy to type. */
  make(): string;
  /** The argon2id hash in PHC form. Refused with `too_many_in_flight` when too many wait. */
  hash(password: string): Promise<string | Refusal>;
  /** `null` for the hash of nobody: takes as long as any other and is never right. Refused as above. */
  verify(hash: string | null, password: string): Promise<boolean | Refusal>;
}
