import type { IncomingMessage } from 'node:http';
import { refuse, type Refusal } from '../../schemas/errors.ts';
import { decodeBody } from './content-encoding.ts';

const tooLarge = (limit: number): Refusal => refuse('body_too_large', `The body is larger than the ${limit} bytes that are taken here.`);

const receive = (req: IncomingMessage, limit: number): Promise<Buffer | Refusal | null> =>
  new Promise((resolve) => {
    let first: Buffer | null = null;
    let more: Buffer[] | null = null;
    let bytes = 0;
    req.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > limit) {
        req.pause();
        req.removeAllListeners('data');
        resolve(tooLarge(limit));
      } else if (first === null) first = chunk;
      else (more ??= [first]).push(chunk);
    });
    // Whatever ends a request early ends with this; without a listener for errors there are none.
    const closed = (): void => resolve(null);
    req.on('close', closed);
    req.on('end', () => {
      req.off('close', closed);
      resolve(more !== null ? Buffer.concat(more) : (first ?? Buffer.alloc(0)));
    });
  });

const TYPES = { json: /^application\/(?:json|[\w.-]+\+json)\s*(?:;|$)/i, form: /^multipart\/form-data\s*;/i, any: /^/ } as const;

/** The whole body, unpacked, or why it is not taken. `null`: the client went away while sending it. */
export const readBody = (req: IncomingMessage, limit: number, kind: 'json' | 'form' | 'any' = 'json'): Promise<Buffer | Refusal | null> => {
  if (!TYPES[kind].test(req.headers['content-type'] ?? ''))
    return Promise.resolve(
      kind === 'json' ? refuse('unsupported_media_type') : refuse('unsupported_media_type', 'Send the body as multipart/form-data.'),
    );
  const encoding = req.headers['content-encoding'];
  const isPacked = encoding !== undefined && encoding !== 'identity';
  if (Number(req.headers['content-length'] ?? 0) > limit) return Promise.resolve(tooLarge(limit));

  const received = receive(req, limit);
  return isPacked ? received.then((body) => (body === null || 'refused' in body ? body : decodeBody(body, encoding, limit))) : received;
};
