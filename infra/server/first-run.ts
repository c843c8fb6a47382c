import { chmod, rename, writeFile } from 'node:fs/promises';

/** What a newcomer needs to begin, known once and never again. */
export interface FirstRun {
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly adminEmail: string;
  readonly adminPassword: string;
}

/** Leaves the first credentials in a file that only its owner can read. Written aside and renamed, so that nobody reads half of it. */
export const writeFirstRun = async (file: string, firstRun: FirstRun): Promise<void> => {
  const aside = `${file}.new`;
  await writeFile(aside, `${JSON.stringify(firstRun, null, 2)}\n`, { mode: 0o600 });
  await chmod(aside, 0o600);
  await rename(aside, file);
};
