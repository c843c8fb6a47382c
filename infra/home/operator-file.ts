import { chmod, readFile, rename, writeFile } from 'node:fs/promises';
import { z } from 'zod';

/** How the command line reaches the server that runs on this data directory. */
export const OperatorFile = z.object({ baseUrl: z.url({ protocol: /^https?$/ }), token: z.string().min(1).max(200) });
export type OperatorFile = z.infer<typeof OperatorFile>;

/** Readable by its owner alone; written aside and renamed, so that nobody reads half of it. */
export const writeOperatorFile = async (file: string, content: OperatorFile): Promise<void> => {
  const aside = `${file}.new`;
  await writeFile(aside, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  await chmod(aside, 0o600);
  await rename(aside, file);
};

/** `null` when there is none: no server has ever run here. Throws for one that is not what {@link writeOperatorFile} wrote. */
export const readOperatorFile = async (file: string): Promise<OperatorFile | null> => {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  });
  return text === null ? null : OperatorFile.parse(JSON.parse(text));
};
