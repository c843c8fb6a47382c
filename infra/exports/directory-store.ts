import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { randomUUID } from 'node:crypto';
import type { ExportStore } from '../../commands/ports/export-store.ts';

const NAME = /^[\w-]{1,100}(\.[a-z]{1,10}){1,3}$/;

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

/** Exports as files of a directory, which several processes may share. Readable by its owner alone. */
export const directoryStore = (directory: string): ExportStore => {
  const fileOf = (name: string): string => {
    if (!NAME.test(name)) throw new RangeError(`${name} is no name of an export`);
    return join(directory, name);
  };
  return {
    write: async (name, bytes, signal) => {
      const file = fileOf(name);
      await mkdir(directory, { recursive: true, mode: 0o700 });
      // Written aside and put in place when it is whole and on disk: two that write at once do not mix.
      const aside = join(directory, `.${randomUUID()}.part`);
      try {
        await pipeline(Readable.from(bytes), createWriteStream(aside, { mode: 0o600 }), { signal });
        const handle = await open(aside, 'r+');
        try {
          await handle.sync();
        } finally {
          await handle.close();
        }
        await rename(aside, file);
      } finally {
        await rm(aside, { force: true });
      }
    },
    read: async (name) => {
      const file = fileOf(name);
      try {
        const { size } = await stat(file);
        return { bytes: size, content: createReadStream(file) };
      } catch (error) {
        if (isMissing(error)) return null;
        throw error;
      }
    },
    remove: (name) => rm(fileOf(name), { force: true }),
  };
};
