import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
/** Node takes shorter tags too unless told otherwise, and a four-byte tag can be guessed. */
const TAG = { authTagLength: 16 } as const;

/** AES-256-GCM: nonce ‖ ciphertext ‖ tag. `context` is bound in as additional data. */
export const encrypt = (key: Buffer, plaintext: Buffer, context: string): Buffer => {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce, TAG).setAAD(Buffer.from(context));
  return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
};

/** Throws when the box was altered, or the key or the context is another. */
export const decrypt = (key: Buffer, box: Buffer, context: string): Buffer => {
  if (box.length < NONCE_BYTES + TAG.authTagLength) throw new Error('an envelope is too short to be whole');
  const decipher = createDecipheriv(CIPHER, key, box.subarray(0, NONCE_BYTES), TAG)
    .setAAD(Buffer.from(context))
    .setAuthTag(box.subarray(box.length - TAG.authTagLength));
  return Buffer.concat([decipher.update(box.subarray(NONCE_BYTES, box.length - TAG.authTagLength)), decipher.final()]);
};
