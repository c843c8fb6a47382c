import type { Blob, Blobs } from '../../commands/ports/blobs.ts';

/** Blobs as the port promises them, until the test ends. */
export const memoryBlobs = (): Blobs & { readonly held: ReadonlyMap<string, Blob> } => {
  const held = new Map<string, Blob>();
  return {
    held,
    put: async (blob, replaces) => {
      const key = `${blob.id} ${blob.part}`;
      const known = held.get(key);
      if (known !== undefined && known.tag !== replaces) return false;
      held.set(key, { ...blob, bytes: Buffer.from(blob.bytes) });
      return true;
    },
    get: async (id, part) => held.get(`${id} ${part}`) ?? null,
    remove: async (ids) => {
      for (const [key, { id }] of held) if (ids.includes(id)) held.delete(key);
    },
  };
};
