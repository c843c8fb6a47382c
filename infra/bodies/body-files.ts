import { randomBytes } from 'node:crypto';
import { mkdir, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { BodyFiles } from '../../gateways/ports/body-files.ts';

/** Files without a name: each is unlinked as soon as it is open, so that the system takes it back whatever becomes of this process. */
export const bodyFiles = (directory: string): BodyFiles => ({
  open: async () => {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const path = join(directory, `body-${randomBytes(12).toString('hex')}`);
    const file = await open(path, 'wx+', 0o600);
    await unlink(path);
    let end = 0;
    return {
      append: async (bytes) => {
        for (let at = 0; at < bytes.length;) {
          const { bytesWritten } = await file.write(bytes, at, bytes.length - at, end);
          at += bytesWritten;
          end += bytesWritten;
        }
      },
      read: async (position, length) => {
        const bytes = Buffer.allocUnsafe(length);
        for (let at = 0; at < length;) {
          const { bytesRead } = await file.read(bytes, at, length - at, position + at);
          if (bytesRead === 0) throw new Error('a held body is shorter than it was');
          at += bytesRead;
        }
        return bytes;
      },
      close: () => file.close(),
    };
  },
});
