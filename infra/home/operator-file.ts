import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { writePrivateFile } from './private-file.ts';

/** How the command line reaches the server that runs on this data directory. */
export const OperatorFile = z.object({ baseUrl: z.url({ protocol: /^https?$/ }), token: z.string().min(1).max(200) });
export type OperatorFile = z.infer<typeof OperatorFile>;

export const writeOperatorFile = (file: string, content: OperatorFile): Promise<void> => writePrivateFile(file, content);

/** `null` when there is none: no server has ever run here. Throws for one that is not what {@link writeOperatorFile} wrote. */
export const readOperatorFile = async (file: string): Promise<OperatorFile | null> => {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  });
  return text === null ? null : OperatorFile.parse(JSON.parse(text));
};
