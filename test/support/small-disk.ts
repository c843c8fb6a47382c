import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { watchForDeath } from './deathwatch.ts';

/** A file system of its own that can be filled to the last byte. */
export interface SmallDisk {
  readonly folder: string;
  fill(): void;
  /** Takes away what filled it. */
  relieve(): void;
  remove(): Promise<void>;
}

/** `undefined` where nothing may be mounted: that takes root and Linux. */
export const mountSmallDisk = async (megabytes: number): Promise<SmallDisk | undefined> => {
  const folder = mkdtempSync(join(tmpdir(), 'oblivious-disk-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0755`, 'tmpfs', folder], { stdio: 'ignore' });
  if (process.platform !== 'linux' || mounted.status !== 0) {
    rmSync(folder, { recursive: true });
    return undefined;
  }
  const watch = watchForDeath('umount -l "$1"; rmdir "$1"', [folder]);
  const ballast = join(folder, 'ballast');
  return {
    folder,
    fill: () => {
      const fd = openSync(ballast, 'a');
      try {
        // Down to the last page: what a whole piece no longer fits into, a small one may.
        for (let size = 1 << 20; size >= 512; size >>= 1) {
          const piece = Buffer.alloc(size);
          try {
            for (;;) if (writeSync(fd, piece) < size) break;
          } catch (error) {
            if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
          }
        }
      } finally {
        closeSync(fd);
      }
    },
    relieve: () => rmSync(ballast, { force: true }),
    remove: () => watch.fire(),
  };
};
