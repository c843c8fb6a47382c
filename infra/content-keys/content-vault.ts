import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { Clock } from '../../commands/ports/clock.ts';
import type { ContentVault } from '../../commands/ports/content-vault.ts';
import type { SecretBox } from '../../commands/ports/secret-box.ts';
import { KeysUnavailable } from '../../commands/responses/archive-unavailable.ts';
import type { Sealed } from '../../schemas/sealed.ts';
import { decrypt, encrypt } from '../crypto/authenticated.ts';
import type { ContentKeys } from './content-keys.ts';

const pack = promisify(gzip);
const unpack = promisify(gunzip);

const keyContext = (contentId: string): string => `content-key:${contentId}`;

const reached = async <Answer>(work: Promise<Answer>): Promise<Answer> => {
  try {
    return await work;
  } catch (error) {
    throw new KeysUnavailable(error);
  }
};

/** Contents, each packed and then encrypted with AES-256-GCM under a key of its own. */
export const contentVault = (keys: ContentKeys, box: SecretBox, clock: Clock): ContentVault => ({
  seal: async (contents, owner) => {
    const made = await Promise.all(
      contents.map(async ({ contentId, bytes }) => {
        const key = randomBytes(32);
        const ciphertext = encrypt(key, await pack(bytes), `content:${contentId}`).toString('base64');
        return { contentId, ciphertext, sealedKey: box.seal(key.toString('base64'), keyContext(contentId)) };
      }),
    );
    await reached(keys.put(made, owner));
    return made.map(({ ciphertext }) => ciphertext);
  },
  open: async (sealed) => {
    const found = await reached(
      keys.get(
        sealed.map(({ contentId }) => contentId),
        clock.now(),
      ),
    );
    return Promise.all(
      sealed.map(async ({ contentId, ciphertext }) => {
        const sealedKey = found.get(contentId);
        if (sealedKey === undefined) return null;
        const key = Buffer.from(box.open(sealedKey as Sealed, keyContext(contentId)), 'base64');
        return unpack(decrypt(key, Buffer.from(ciphertext, 'base64'), `content:${contentId}`));
      }),
    );
  },
  destroyGroup: (group) => reached(keys.removeGroup(group)),
  destroy: (contentId) => reached(keys.remove(contentId)),
});
