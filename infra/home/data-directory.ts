import { chmod, mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import Database from 'libsql';
import { blaming, Unusable } from '../config/unusable.ts';

/** Where an installation keeps what is its own. */
export interface DataDirectory {
  readonly path: string;
  readonly eventLogFile: string;
  readonly readModelDirectory: string;
  readonly masterKeyFile: string;
  readonly firstRunFile: string;
  readonly operatorFile: string;
  readonly exportDirectory: string;
  readonly contentKeyFile: string;
  readonly bodyDirectory: string;
  readonly blobFile: string;
  /** Lets another process have the directory. */
  release(): void;
}

export class DataDirectoryInUse extends Unusable {
  override readonly name = 'DataDirectoryInUse';

  constructor(path: string) {
    super(`Another Oblivious is running on ${path}. Stop it first, or give this one a data directory of its own with OBLIVIOUS_HOME.`);
  }
}

/**
 * Makes the directory if need be (mode 0700) and takes it for this process alone. The lock is an exclusive SQLite transaction:
 * the operating system drops it with the process, so a `kill -9` leaves no stale lock behind.
 * Throws {@link DataDirectoryInUse}, or `Unusable` for what is in the way.
 */
export const openDataDirectory = async (home: string): Promise<DataDirectory> => {
  const path = resolve(home);
  const lockFile = join(path, 'lock');
  await blaming(`OBLIVIOUS_HOME: ${path}`, () => mkdir(path, { recursive: true, mode: 0o700 }));
  const lock = await blaming(lockFile, () => takeLock(lockFile, path));
  await chmod(lockFile, 0o600);
  return { ...dataPaths(path), release: () => lock.close() };
};

/** Where things are in a data directory, for readers that need no lock. */
export const dataPaths = (path: string): Omit<DataDirectory, 'release'> => ({
  path,
  eventLogFile: join(path, 'events.sqlite'),
  readModelDirectory: join(path, 'read-models'),
  masterKeyFile: join(path, 'master.key'),
  firstRunFile: join(path, 'first-run.json'),
  operatorFile: join(path, 'operator.json'),
  exportDirectory: join(path, 'exports'),
  contentKeyFile: join(path, 'content-keys.sqlite'),
  bodyDirectory: join(path, 'bodies'),
  blobFile: join(path, 'blobs.sqlite'),
});

const takeLock = (file: string, path: string): Database.Database => {
  const lock = new Database(file, { timeout: 0 });
  try {
    lock.exec('pragma locking_mode = exclusive; begin exclusive');
    return lock;
  } catch (error) {
    lock.close();
    if (error instanceof Error && /locked|busy/i.test(error.message)) throw new DataDirectoryInUse(path);
    throw error;
  }
};
