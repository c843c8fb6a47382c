import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { Blobs } from '../../commands/ports/blobs.ts';
import type { SecretBox } from '../../commands/ports/secret-box.ts';
import type { Sealed } from '../../schemas/sealed.ts';
import { decrypt, encrypt } from '../crypto/authenticated.ts';
import type { SealedRows } from './sealed-rows.ts';

const pack = promisify(gzip);
const unpack = promisify(gunzip);

const contextOf = (id: string, part: number): string => `blob:${id}/${part}`;

/** Blobs, each packed and then encrypted with AES-256-GCM under a key of its own. */
export const sealedBlobs = (rows: SealedRows, box: SecretBox): Blobs => ({
  put: async ({ id, part, userId, tag, bytes }, replaces) => {
    const context = contextOf(id, part);
    const key = randomBytes(32);
    const ciphertext = encrypt(key, await pack(bytes, { level: 1 }), context);
    return rows.put({ id, part, userId, tag, sealedKey: box.seal(key.toString('base64'), context), ciphertext }, replaces ?? null);
  },
  get: async (id, part) => {
    const row = await rows.get(id, part);
    if (row === null) return null;
    const context = contextOf(id, part);
    const key = Buffer.from(box.open(row.sealedKey as Sealed, context), 'base64');
    return { tag: row.tag, bytes: await unpack(decrypt(key, row.ciphertext, context)) };
  },
  remove: (ids) => (ids.length === 0 ? Promise.resolve() : rows.remove(ids)),
});
