import type { IncomingMessage } from 'node:http';
import { pipeline, Transform, type Readable } from 'node:stream';

/** A body as it comes, up to a limit in bytes; beyond that it breaks off. */
export const asItComes = (req: IncomingMessage, limit: number, onTooLarge: () => void): Readable => {
  let bytes = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes <= limit) return done(null, chunk);
      onTooLarge();
      done(new Error('the body is too large'));
    },
  });
  // Whoever reads it hears of its failure.
  pipeline(req, counted, () => undefined);
  return counted;
};
