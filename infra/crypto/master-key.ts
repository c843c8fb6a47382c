import { createHash, hkdfSync, randomBytes } from 'node:crypto';
import { link, open, readFile, stat, unlink, type FileHandle } from 'node:fs/promises';
import { blaming, Unusable } from '../config/unusable.ts';

const KEY_BYTES = 32;

/** The one secret of an installation; every other key is derived from it. */
export interface MasterKey {
  /** Sixteen hexadecimal digits that name the key in envelopes and tell nothing about it. */
  readonly id: string;
  /** A key for one purpose only (HKDF-SHA-256, 32 bytes): who learns one of them learns nothing of the others. */
  derive(purpose: string): Buffer;
}

/** The key cannot be used as it lies there; the message says what to do. */
export class MasterKeyRefused extends Unusable {
  override readonly name = 'MasterKeyRefused';
}

export const masterKeyOf = (bytes: Buffer): MasterKey => {
  if (bytes.length !== KEY_BYTES) throw new MasterKeyRefused(`The master key has ${bytes.length} bytes; it must have ${KEY_BYTES}.`);
  const derive = (purpose: string): Buffer => Buffer.from(hkdfSync('sha256', bytes, 'oblivious', purpose, KEY_BYTES));
  return { id: createHash('sha256').update(derive('key id')).digest('hex').slice(0, 16), derive };
};

/** Standard base64 of exactly 32 bytes, and nothing that merely decodes to them. */
const decode = (text: string, where: string): Buffer => {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length !== KEY_BYTES || bytes.toString('base64') !== text) {
    throw new MasterKeyRefused(
      `${where} does not hold a master key: expected ${KEY_BYTES} bytes in base64, as \`openssl rand -base64 32\` prints them.`,
    );
  }
  return bytes;
};

const readKeyFile = async (file: string): Promise<Buffer> => {
  const { mode } = await stat(file);
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw new MasterKeyRefused(
      `${file} can be read by others (mode ${(mode & 0o777).toString(8)}). If nobody has read it, run: chmod 600 ${file}`,
    );
  }
  return decode((await readFile(file, 'utf8')).trim(), file);
};

const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT';
const isThere = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'EEXIST';

const writeDurably = async (handle: FileHandle, text: string): Promise<void> => {
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
};

/** Made aside and linked into place: nobody ever reads half a key, and of two makers one wins and both use it. */
const makeKeyFile = async (file: string): Promise<void> => {
  const aside = `${file}.${randomBytes(8).toString('hex')}`;
  await writeDurably(await open(aside, 'wx', 0o600), `${randomBytes(KEY_BYTES).toString('base64')}\n`);
  try {
    await link(aside, file);
  } catch (error) {
    if (!isThere(error)) throw error;
  } finally {
    await unlink(aside);
  }
};

/**
 * From the environment where it is given there (base64), else from the file, which is made with mode 0600 when it is
 * missing. Throws {@link MasterKeyRefused} for a key that is malformed or that others may read.
 */
export const loadMasterKey = async (from: { readonly environmentKey: string | undefined; readonly file: string }): Promise<MasterKey> => {
  if (from.environmentKey !== undefined) return masterKeyOf(decode(from.environmentKey, 'OBLIVIOUS_MASTER_KEY'));
  return blaming(from.file, async () => {
    try {
      return masterKeyOf(await readKeyFile(from.file));
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
    await makeKeyFile(from.file);
    return masterKeyOf(await readKeyFile(from.file));
  });
};
