import { z } from 'zod';

/**
 * A secret under envelope encryption, safe to store in an event:
 * `env1.{master key id}.{wrapped data key}.{ciphertext}`, the last two base64url of nonce ‖ ciphertext ‖ 16-byte tag.
 */
export const Sealed = z
  .string()
  .max(16_384)
  .regex(/^env1\.[0-9a-f]{16}\.[\w-]+\.[\w-]+$/, 'expected an env1 envelope')
  .brand('Sealed');
export type Sealed = z.infer<typeof Sealed>;

/** The id of the master key that it was sealed under. */
export const keyIdOf = (sealed: Sealed): string => sealed.slice(5, 21);
