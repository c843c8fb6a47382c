import type { Sealed } from '../../schemas/sealed.ts';

/**
 * Envelope encryption under the master key. `context` (such as `channel-key:chk_1`) is bound in as additional data: a
 * ciphertext moved to another place does not open there. `open` throws when the envelope was altered or the key is another.
 */
export interface SecretBox {
  seal(plaintext: string, context: string): Sealed;
  open(sealed: Sealed, context: string): string;
}
