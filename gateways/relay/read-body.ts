import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isRefusal, refuse, type Refusal } from '../../schemas/errors.ts';
import { DISK_FAILED, NO_ROOM, type CallRoom } from './bodies/body-room.ts';
import { Elider, rememberElision } from './bodies/elision.ts';
import { GatheredBody } from './bodies/gathered-body.ts';
import { weighJson, WEIGHED } from './bodies/json-weight.ts';
import { decodeBody } from './content-encoding.ts';

const tooLarge = (limit: number): Refusal => refuse('body_too_large', `The body is larger than the ${limit} bytes that are taken here.`);

/** Bodies below it come in a piece or a few; counting them would cost more than they take. */
const UNCOUNTED = 256 * 1024;

const gathering = (first: Buffer): GatheredBody => {
  const gathered = new GatheredBody();
  gathered.push(first);
  return gathered;
};

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
    let more: GatheredBody | null = null;
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
      resolve(more !== null ? more.whole() : (first ?? Buffer.alloc(0)));
    };
    const refused = (why: Refusal): void => {
      stop();
      resolve(why);
    };
    const took = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > limit) return refused(tooLarge(limit));
      if (first === null) first = chunk;
      else (more ??= gathering(first)).push(chunk);
      if (bytes > UNCOUNTED && room?.memory(bytes) === false) return refused(NO_ROOM);
      if (bytes <= memoryBytes || room === null) return;
      stop();
      resolve(asElided(bothOf(more === null ? [first] : more.pieces(), req), limit, room, isKnownAgain).catch(() => null));
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
  /** What the body takes is counted there for as long as its call lasts; `null`: it is not. */
  readonly room: CallRoom | null;
  /** Whoever reads the body knows of what is taken out of it. */
  readonly elides?: boolean;
}

/** The whole body, unpacked, or why it is not taken. `null`: the client went away while sending it. */
export const readBody = (
  req: IncomingMessage,
  limit: number,
  kind: 'json' | 'form' | 'any',
  { room, elides = false }: ReadingBody,
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
  const isPlain = encoding === undefined || encoding === 'identity';
  const received = receive(req, limit, room, isPlain ? elidesAt : Infinity, isKnownAgain);
  // Nearly all bodies: to weigh one that weighs nothing would be one more promise for each call.
  if (isPlain && (kind !== 'json' || Number(length) < WEIGHED)) return received;
  const plain = isPlain
    ? received
    : received.then((packed) =>
        packed === null || 'refused' in packed ? packed : unpacked(packed, encoding, limit, room, elidesAt, isKnownAgain),
      );
  return kind === 'json' ? plain.then((body) => (body === null || 'refused' in body ? body : weighed(body, room))) : plain;
};

/** The body, once what it will be parsed to is counted as well. */
const weighed = (body: Buffer, room: CallRoom | null): Buffer | Refusal => {
  const weight = weighJson(body);
  if (isRefusal(weight)) return weight;
  return weight === 0 || room === null || room.more(weight) ? body : NO_ROOM;
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
