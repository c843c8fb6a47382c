import type { LeaseId, RequestId, UserId, VectorFileId } from '../../schemas/ids.ts';
import type { Blobs } from '../ports/blobs.ts';
import type { Embedded } from '../ports/embedder.ts';

/** Chunks that are embedded in one call, and kept together: some providers take no more. */
export const GROUP = 10;

const textsOf = (id: VectorFileId): string => `txt:${id}`;
const vectorsOf = (id: VectorFileId): string => `vec:${id}`;

const packed = (vectors: readonly Float32Array[]): Buffer => {
  const length = vectors[0]?.length ?? 0;
  const bytes = Buffer.alloc(4 + vectors.length * length * 4);
  let at = bytes.writeUInt32LE(length, 0);
  for (const vector of vectors) for (const value of vector) at = bytes.writeFloatLE(value, at);
  return bytes;
};

const unpacked = (bytes: Buffer): readonly Float32Array[] => {
  const length = bytes.readUInt32LE(0);
  const vectors: Float32Array[] = [];
  for (let at = 4; at < bytes.length; at += length * 4)
    vectors.push(Float32Array.from({ length }, (_, place) => bytes.readFloatLE(at + place * 4)));
  return vectors;
};

const tagOf = ({ leaseId, requestId }: Pick<Embedded, 'leaseId' | 'requestId'>): string => `${leaseId} ${requestId}`;

const taggedWith = (tag: string): Pick<Embedded, 'leaseId' | 'requestId'> => {
  const [leaseId = '', requestId = ''] = tag.split(' ');
  return { leaseId: leaseId as LeaseId, requestId: requestId as RequestId };
};

/** The chunks of files and their vectors, group by group: what an index is filled from, without paying for them again. */
export class KeptVectors {
  readonly #blobs: Blobs;

  constructor(blobs: Blobs) {
    this.#blobs = blobs;
  }

  async putTexts(id: VectorFileId, userId: UserId, group: number, texts: readonly string[]): Promise<void> {
    await this.#blobs.put({ id: textsOf(id), part: group, userId, tag: '', bytes: Buffer.from(JSON.stringify(texts)) });
  }

  /** `null`: it is gone. */
  async text(id: VectorFileId, chunk: number): Promise<string | null> {
    const blob = await this.#blobs.get(textsOf(id), Math.floor(chunk / GROUP));
    if (blob === null) return null;
    const texts = JSON.parse(blob.bytes.toString('utf8')) as readonly string[];
    return texts[chunk % GROUP] ?? null;
  }

  /** False: another call's are there, which are not those of `replaces`. */
  putVectors(id: VectorFileId, userId: UserId, group: number, embedded: Embedded, replaces: Embedded | null): Promise<boolean> {
    const blob = { id: vectorsOf(id), part: group, userId, tag: tagOf(embedded), bytes: packed(embedded.vectors) };
    return replaces === null ? this.#blobs.put(blob) : this.#blobs.put(blob, tagOf(replaces));
  }

  /** With the call that they came by, which may not have been charged. */
  async vectors(id: VectorFileId, group: number): Promise<Embedded | null> {
    const blob = await this.#blobs.get(vectorsOf(id), group);
    return blob === null ? null : { ...taggedWith(blob.tag), vectors: unpacked(blob.bytes) };
  }

  /** Group by group. */
  async *allVectors(id: VectorFileId): AsyncGenerator<readonly Float32Array[]> {
    for (let group = 0; ; group++) {
      const kept = await this.vectors(id, group);
      if (kept === null) return;
      yield kept.vectors;
    }
  }

  remove(ids: readonly VectorFileId[]): Promise<void> {
    return this.#blobs.remove(ids.flatMap((id) => [textsOf(id), vectorsOf(id)]));
  }
}
