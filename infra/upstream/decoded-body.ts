import { createBrotliDecompress, createGunzip, createInflate, constants } from 'node:zlib';
import type { Transform } from 'node:stream';

/** Nobody asked for a compressed answer; some upstreams and the proxies before them send one all the same. */
const decoderFor = (encoding: string): Transform | null => {
  switch (encoding.trim().toLowerCase()) {
    case 'gzip':
    case 'x-gzip':
      // Flushed as it comes, so that a compressed stream is still a stream.
      return createGunzip({ flush: constants.Z_SYNC_FLUSH, finishFlush: constants.Z_SYNC_FLUSH });
    case 'deflate':
      return createInflate({ flush: constants.Z_SYNC_FLUSH, finishFlush: constants.Z_SYNC_FLUSH });
    case 'br':
      return createBrotliDecompress({ flush: constants.BROTLI_OPERATION_FLUSH, finishFlush: constants.BROTLI_OPERATION_FLUSH });
    default:
      return null;
  }
};

export interface DecodedBodyEvents {
  /** False asks for a pause. */
  data(chunk: Buffer): boolean;
  end(): void;
  failed(message: string): void;
  /** There is room for more compressed bytes. */
  wantsMore(): void;
}

/** A body behind a `content-encoding`. */
export class DecodedBody {
  readonly #decoder: Transform;

  private constructor(decoder: Transform, events: DecodedBodyEvents) {
    this.#decoder = decoder;
    decoder.on('data', (chunk: Buffer) => {
      if (!events.data(chunk)) decoder.pause();
    });
    decoder.on('end', () => events.end());
    decoder.on('error', (error) => events.failed(`the content-encoding does not decode: ${error.message}`));
    decoder.on('drain', () => events.wantsMore());
  }

  /** `null` for an encoding that is not known. */
  static of(encoding: string, events: DecodedBodyEvents): DecodedBody | null {
    const decoder = decoderFor(encoding);
    return decoder === null ? null : new DecodedBody(decoder, events);
  }

  write(chunk: Buffer): boolean {
    return this.#decoder.write(chunk);
  }

  end(): void {
    this.#decoder.end();
  }

  resume(): void {
    this.#decoder.resume();
  }

  destroy(): void {
    this.#decoder.destroy();
  }
}
