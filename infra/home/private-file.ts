import { chmod, rename, writeFile } from 'node:fs/promises';

/**
 * Writes a file that only its owner may read (mode 0600). Written aside and renamed, so that nobody ever reads half of it, whoever else
 * writes it at the same time.
 */
export const writePrivateFile = async (file: string, content: object): Promise<void> => {
  const aside = `${file}.${process.pid}.new`;
  await writeFile(aside, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  // The mode above counts only for a file that was not there.
  await chmod(aside, 0o600);
  await rename(aside, file);
};
