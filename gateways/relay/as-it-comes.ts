import type { IncomingMessage } from 'node:http';
import { pipeline, Transform, type Readable } from 'node:stream';

/** A body as it comes, up to a limit in bytes; beyond that it breaks off. `head`: what was read of it already. */
export const asItComes = (req: IncomingMessage, limit: number, onTooLarge: () => void, head?: Buffer): Readable => {
  let bytes = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes <= limit) return done(null, chunk);
      onTooLarge();
      done(new Error('the body is too large'));
    },
  });
  if (head !== undefined) counted.write(head);
  if (req.readableEnded) {
    counted.end();
    return counted.on('error', () => undefined);
  }
  // Whoever reads it hears of its failure.
  pipeline(req, counted, () => undefined);
  return counted;
};
