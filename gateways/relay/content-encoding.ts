import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { refuse, type Refusal } from '../../schemas/errors.ts';
import { unzstd, ZSTD_TOO_LARGE as TOO_LARGE } from './unzstd.ts';

const gunzip = promisify(zlib.gunzip);
const inflate = promisify(zlib.inflate);
const unbrotli = promisify(zlib.brotliDecompress);
const gzip = promisify(zlib.gzip);
const brotli = promisify(zlib.brotliCompress);

/** Zstandard came to `node:zlib` with Node.js 22.15. */
interface ZstdOfNewerNode {
  readonly zstdCompress?: (body: Buffer, done: (error: Error | null, packed: Buffer) => void) => void;
  readonly zstdDecompress?: (body: Buffer, options: object, done: (error: Error | null, plain: Buffer) => void) => void;
}
const { zstdCompress, zstdDecompress } = zlib as ZstdOfNewerNode;

/** Most that is unpacked in JavaScript, on the thread that serves everybody. */
const MOST_IN_SCRIPT = 4 * 1024 * 1024;

const decoded = async (body: Buffer, encoding: string, most: number): Promise<Buffer | typeof TOO_LARGE | null> => {
  const options = { maxOutputLength: most };
  try {
    switch (encoding) {
      case 'gzip':
      case 'x-gzip':
        return await gunzip(body, options);
      case 'deflate':
        return await inflate(body, options);
      case 'br':
        return await unbrotli(body, options);
      case 'zstd':
        return zstdDecompress === undefined ? unzstd(body, Math.min(most, MOST_IN_SCRIPT)) : await promisify(zstdDecompress)(body, options);
      default:
        return null;
    }
  } catch (error) {
    if (error instanceof RangeError) return TOO_LARGE;
    throw error;
  }
};

/** The body behind its `content-encoding`, at most so many bytes of it. */
export const decodeBody = async (body: Buffer, encoding: string, most: number): Promise<Buffer | Refusal> => {
  const name = encoding.trim().toLowerCase();
  try {
    const plain = await decoded(body, name, most);
    if (plain === TOO_LARGE) return refuse('body_too_large', `The body, unpacked, is larger than the ${most} bytes that are taken here.`);
    return plain ?? refuse('unsupported_media_type', 'Of content-encodings gzip, deflate, br and zstd are known, one at a time.');
  } catch {
    return refuse('invalid_request', `The body is not what its content-encoding (${name}) says.`);
  }
};

const ENCODINGS = [
  ...(zstdCompress === undefined ? [] : (['zstd'] as const)),
  // The quick settings: a gateway that packs well packs late.
  'br',
  'gzip',
] as const;

/** The best encoding that a client takes and that we have, by its `accept-encoding`; `null`: as it is. */
export const acceptedEncoding = (accept: string | undefined): 'zstd' | 'br' | 'gzip' | null => {
  if (accept === undefined) return null;
  const weights = new Map<string, number>();
  for (const part of accept.toLowerCase().split(',')) {
    const [name = '', ...parameters] = part.split(';').map((text) => text.trim());
    const q = parameters.find((text) => text.startsWith('q='));
    weights.set(name, q === undefined ? 1 : Number(q.slice(2)));
  }
  let best: 'zstd' | 'br' | 'gzip' | null = null;
  let weight = 0;
  for (const name of ENCODINGS) {
    const its = weights.get(name) ?? weights.get('*') ?? 0;
    if (its > weight) [best, weight] = [name, its];
  }
  return best;
};

/** A body packed, off the main thread. */
export const encodeBody = (body: Buffer, encoding: 'zstd' | 'br' | 'gzip'): Promise<Buffer> => {
  switch (encoding) {
    case 'gzip':
      return gzip(body, { level: 1 });
    case 'br':
      return brotli(body, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 3, [zlib.constants.BROTLI_PARAM_SIZE_HINT]: body.length } });
    case 'zstd':
      return promisify(zstdCompress as NonNullable<typeof zstdCompress>)(body);
  }
};
