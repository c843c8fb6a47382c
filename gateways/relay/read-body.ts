import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { refuse, type Refusal } from '../../schemas/errors.ts';
import { DISK_FAILED, NO_ROOM, type CallRoom } from './bodies/body-room.ts';
import { Elider, rememberElision } from './bodies/elision.ts';
import { decodeBody } from './content-encoding.ts';

const tooLarge = (limit: number): Refusal => refuse('body_too_large', `The body is larger than the ${limit} bytes that are taken here.`);

/** Bodies below it come in a piece or a few; counting them would cost more than they take. */
const UNCOUNTED = 256 * 1024;

/** What came of a body before it proved to be one for the disk. */
interface Begun {
  readonly chunks: readonly Buffer[];
}

const receive = (
  req: IncomingMessage,
  limit: number,
  room: CallRoom | null,
  memoryBytes: number,
): Promise<Buffer | Begun | Refusal | null> =>
  new Promise((resolve) => {
    let first: Buffer | null = null;
    let more: Buffer[] | null = null;
    let bytes = 0;
    const stop = (why: Refusal | Begun): void => {
      req.pause();
      req.off('data', took);
      req.off('end', ended);
      req.off('close', closed);
      resolve(why);
    };
    // Whatever ends a request early ends with this; without a listener for errors there are none.
    const closed = (): void => resolve(null);
    // The request outlives its body by as long as its answer takes; the body is not to be held by what read it.
    const ended = (): void => {
      req.off('data', took);
      req.off('end', ended);
      req.off('close', closed);
      resolve(more !== null ? Buffer.concat(more) : (first ?? Buffer.alloc(0)));
    };
    const took = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > limit) return stop(tooLarge(limit));
      if (first === null) first = chunk;
      else (more ??= [first]).push(chunk);
      if (bytes > UNCOUNTED && room?.memory(bytes) === false) return stop(NO_ROOM);
      if (bytes > memoryBytes) stop({ chunks: more ?? [first] });
    };
    req.on('data', took);
    req.on('close', closed);
    req.on('end', ended);
  });

const asElided = async (
  pieces: AsyncIterable<Buffer> | Iterable<Buffer>,
  limit: number,
  room: CallRoom,
  isKnownAgain: boolean,
): Promise<Buffer | Refusal> => {
  const { files } = room.room;
  let bytes = 0;
  const file = await files?.open().catch(() => null);
  if (file === null || file === undefined) return DISK_FAILED;
  const elider = new Elider(randomBytes(16).toString('hex'), file, isKnownAgain);
  const wrong = async (): Promise<Refusal | null> => {
    for await (const piece of pieces) {
      bytes += piece.length;
      if (bytes > limit) return tooLarge(limit);
      // Room is taken before it is used.
      if (!room.disk(elider.written + piece.length) || !room.memory(elider.held + piece.length)) return NO_ROOM;
      try {
        await elider.push(piece);
      } catch {
        return DISK_FAILED;
      }
    }
    return null;
  };
  try {
    const refusal = await wrong();
    const { body, elision } = elider.end();
    room.elision = elision;
    if (refusal !== null) return refusal;
    rememberElision(body, elision);
    return body;
  } catch (cause) {
    room.elision ??= elider.end().elision;
    throw cause;
  }
};

async function* bothOf(chunks: readonly Buffer[], req: IncomingMessage): AsyncGenerator<Buffer> {
  yield* chunks;
  // A connection that is to be answered must outlive what is left of its request.
  for await (const chunk of req.iterator({ destroyOnReturn: false })) yield chunk as Buffer;
}

const SLICE = 1024 * 1024;

function* slicesOf(body: Buffer): Generator<Buffer> {
  for (let at = 0; at < body.length; at += SLICE) yield body.subarray(at, at + SLICE);
}

const TYPES = { json: /^application\/(?:json|[\w.-]+\+json)\s*(?:;|$)/i, form: /^multipart\/form-data\s*;/i, any: /^/ } as const;

export interface ReadingBody {
  /** What the body takes is counted there; `null`: it is not. */
  readonly room: CallRoom | null;
  /** Whoever reads the body knows of what is taken out of it. */
  readonly elides?: boolean;
}

const UNCOUNTED_BODY: ReadingBody = { room: null };

/** The whole body, unpacked, or why it is not taken. `null`: the client went away while sending it. */
export const readBody = async (
  req: IncomingMessage,
  limit: number,
  kind: 'json' | 'form' | 'any' = 'json',
  { room, elides = false }: ReadingBody = UNCOUNTED_BODY,
): Promise<Buffer | Refusal | null> => {
  if (!TYPES[kind].test(req.headers['content-type'] ?? ''))
    return kind === 'json' ? refuse('unsupported_media_type') : refuse('unsupported_media_type', 'Send the body as multipart/form-data.');
  const encoding = req.headers['content-encoding'];
  const isPacked = encoding !== undefined && encoding !== 'identity';
  if (Number(req.headers['content-length'] ?? 0) > limit) return tooLarge(limit);
  const isKnownAgain = req.headers['idempotency-key'] !== undefined;
  const elidesAt = room === null || room.room.files === null || !elides ? Infinity : room.room.limits.diskFromBytes;

  const received = await receive(req, limit, room, isPacked ? Infinity : elidesAt);
  if (received === null || 'refused' in received) return received;
  if ('chunks' in received)
    return room === null ? null : asElided(bothOf(received.chunks, req), limit, room, isKnownAgain).catch(() => null);
  if (!isPacked) return received;
  const unpack = (): Promise<Buffer | Refusal> => decodeBody(received, encoding, limit);
  if (room === null) return unpack();
  return room.room.unpacking(async () => {
    const plain = await unpack();
    if ('refused' in plain) return plain;
    if (plain.length > elidesAt) return asElided(slicesOf(plain), limit, room, isKnownAgain);
    return plain.length <= UNCOUNTED || room.memory(plain.length) ? plain : NO_ROOM;
  });
};
