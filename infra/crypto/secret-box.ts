import { randomBytes } from 'node:crypto';
import type { SecretBox } from '../../commands/ports/secret-box.ts';
import { Sealed } from '../../schemas/sealed.ts';
import { decrypt, encrypt } from './authenticated.ts';
import type { MasterKey } from './master-key.ts';

/**
 * AES-256-GCM envelopes: each secret under a data key of its own, that key wrapped under one derived from the master key. Both
 * layers are bound to the context, so neither a wrapped key nor a ciphertext opens anywhere else.
 */
export const secretBox = (master: MasterKey): SecretBox => {
  const wrappingKey = master.derive('secret box');
  return {
    seal: (plaintext, context) => {
      const dataKey = randomBytes(32);
      const wrapped = encrypt(wrappingKey, dataKey, `key:${context}`);
      const sealed = encrypt(dataKey, Buffer.from(plaintext), `data:${context}`);
      return Sealed.parse(`env1.${master.id}.${wrapped.toString('base64url')}.${sealed.toString('base64url')}`);
    },
    open: (sealed, context) => {
      const [, keyId, wrapped = '', box = ''] = sealed.split('.');
      if (keyId !== master.id)
        throw new Error(`a secret was sealed under master key ${keyId ?? 'unknown'}, and this installation has ${master.id}`);
      const dataKey = decrypt(wrappingKey, Buffer.from(wrapped, 'base64url'), `key:${context}`);
      return decrypt(dataKey, Buffer.from(box, 'base64url'), `data:${context}`).toString();
    },
  };
};
