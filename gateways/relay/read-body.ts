import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { refuse, type Refusal } from '../../schemas/errors.ts';
import { DISK_FAILED, NO_ROOM, type CallRoom } from './bodies/body-room.ts';
import { Elider, rememberElision } from './bodies/elision.ts';
import { decodeBody } from './content-encoding.ts';

const tooLarge = (limit: number): Refusal => refuse('body_too_large', `The body is larger than the ${limit} bytes that are taken here.`);

/** Bodies below it come in a piece or a few; counting them would cost more than they take. */
const UNCOUNTED = 256 * 1024;

/** What is too large for memory goes on to the disk, if there is a room to count it in. */
const receive = (
  req: IncomingMessage,
  limit: number,
  room: CallRoom | null,
  memoryBytes: number,
  isKnownAgain: boolean,
): Promise<Buffer | Refusal | null> =>
  new Promise((resolve) => {
    let first: Buffer | null = null;
    let more: Buffer[] | null = null;
    let bytes = 0;
    const stop = (): void => {
      req.pause();
      req.off('data', took);
      req.off('end', ended);
      req.off('close', closed);
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
    const refused = (why: Refusal): void => {
      stop();
      resolve(why);
    };
    const took = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > limit) return refused(tooLarge(limit));
      if (first === null) first = chunk;
      else (more ??= [first]).push(chunk);
      if (bytes > UNCOUNTED && room?.memory(bytes) === false) return refused(NO_ROOM);
      if (bytes <= memoryBytes || room === null) return;
      stop();
      resolve(asElided(bothOf(more ?? [first], req), limit, room, isKnownAgain).catch(() => null));
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

const JSON_TYPE = 'application/json';

const TYPES = { json: /^application\/(?:json|[\w.-]+\+json)\s*(?:;|$)/i, form: /^multipart\/form-data\s*;/i, any: /^/ } as const;

export interface ReadingBody {
  /** What the body takes is counted there; `null`: it is not. */
  readonly room: CallRoom | null;
  /** Whoever reads the body knows of what is taken out of it. */
  readonly elides?: boolean;
}

const UNCOUNTED_BODY: ReadingBody = { room: null };

/** The whole body, unpacked, or why it is not taken. `null`: the client went away while sending it. */
export const readBody = (
  req: IncomingMessage,
  limit: number,
  kind: 'json' | 'form' | 'any' = 'json',
  { room, elides = false }: ReadingBody = UNCOUNTED_BODY,
): Promise<Buffer | Refusal | null> => {
  const { headers } = req;
  const type = headers['content-type'] ?? '';
  if ((kind !== 'json' || type !== JSON_TYPE) && !TYPES[kind].test(type))
    return Promise.resolve(
      kind === 'json' ? refuse('unsupported_media_type') : refuse('unsupported_media_type', 'Send the body as multipart/form-data.'),
    );
  const encoding = headers['content-encoding'];
  const length = headers['content-length'];
  if (length !== undefined && Number(length) > limit) return Promise.resolve(tooLarge(limit));
  const isKnownAgain = headers['idempotency-key'] !== undefined;
  const elidesAt = room === null || room.room.files === null || !elides ? Infinity : room.room.limits.diskFromBytes;
  if (encoding === undefined || encoding === 'identity') return receive(req, limit, room, elidesAt, isKnownAgain);
  return receive(req, limit, room, Infinity, isKnownAgain).then((received) =>
    received === null || 'refused' in received ? received : unpacked(received, encoding, limit, room, elidesAt, isKnownAgain),
  );
};

const unpacked = (
  packed: Buffer,
  encoding: string,
  limit: number,
  room: CallRoom | null,
  elidesAt: number,
  isKnownAgain: boolean,
): Promise<Buffer | Refusal | null> => {
  if (room === null) return decodeBody(packed, encoding, limit);
  return room.room.unpacking(async () => {
    const plain = await decodeBody(packed, encoding, limit);
    if ('refused' in plain) return plain;
    if (plain.length > elidesAt) return asElided(slicesOf(plain), limit, room, isKnownAgain);
    return plain.length <= UNCOUNTED || room.memory(plain.length) ? plain : NO_ROOM;
  });
};
