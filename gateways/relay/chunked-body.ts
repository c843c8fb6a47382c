import type { ServerResponse } from 'node:http';

const CRLF = '\r\n';
const [CR, LF] = [0x0d, 0x0a];
const LAST_CHUNK = Buffer.from(`0${CRLF}${CRLF}`);

/** A chunk as RFC 9112 section 7.1 has it: its size in hexadecimal, its bytes, each with a line end. */
const framed = (bytes: Buffer, last: boolean): Buffer => {
  if (bytes.length === 0) return last ? LAST_CHUNK : bytes;
  const size = `${bytes.length.toString(16)}${CRLF}`;
  const frame = Buffer.allocUnsafe(size.length + bytes.length + CRLF.length + (last ? LAST_CHUNK.length : 0));
  let at = frame.write(size, 0, 'latin1');
  at += bytes.copy(frame, at);
  frame[at++] = CR;
  frame[at++] = LF;
  if (last) LAST_CHUNK.copy(frame, at);
  return frame;
};

/** The same of a text, whose bytes the socket makes. */
const framedText = (text: string): string => `${Buffer.byteLength(text).toString(16)}${CRLF}${text}${CRLF}`;

/**
 * A body that is sent piece by piece. `node:http` hands each chunk to the socket as four pieces (size, line end, bytes, line
 * end), which for the small chunks of a stream costs more than everything else about them; here a chunk is one piece.
 * To be made when the head is written and before anything of the body is; the body is then written and ended here only.
 */
export class ChunkedBody {
  readonly #res: ServerResponse;
  readonly #frames: boolean;

  constructor(res: ServerResponse) {
    this.#res = res;
    // False for clients of HTTP/1.0: to them a body ends with its connection.
    this.#frames = res.chunkedEncoding;
    res.chunkedEncoding = false;
  }

  /** False asks to wait for `drain`. */
  write(said: Buffer | string): boolean {
    if (said.length === 0) return true;
    if (!this.#frames) return this.#res.write(said);
    return this.#res.write(typeof said === 'string' ? framedText(said) : framed(said, false));
  }

  end(bytes: Buffer): void {
    this.#res.end(this.#frames ? framed(bytes, true) : bytes);
  }
}
