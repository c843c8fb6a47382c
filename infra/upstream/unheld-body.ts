import { Readable } from 'node:stream';

/** What is smaller is copied for less than a stream of its own takes. */
const LEAST_STREAMED = 4_096;

/** Has its bytes until they are read, once. */
class OnceRead extends Readable {
  #bytes: Buffer | null;

  constructor(bytes: Buffer) {
    super();
    this.#bytes = bytes;
  }

  override _read(): void {
    this.push(this.#bytes);
    this.#bytes = null;
    this.push(null);
  }
}

/**
 * The same body for a request whose answer takes long. undici has a request with its body until the answer's end: ten thousand prompts would be held beside their answers. Those
 * of a few bytes are most often part of a pool of Node's, which each of them would hold.
 */
export const unheldBody = (body: Buffer): Buffer | Readable => {
  if (body.length >= LEAST_STREAMED) return new OnceRead(body);
  if (body.buffer.byteLength === body.length) return body;
  const own = Buffer.allocUnsafeSlow(body.length);
  body.copy(own);
  return own;
};
