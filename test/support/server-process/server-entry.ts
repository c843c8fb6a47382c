import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const SOURCES = ['schemas', 'domain', 'commands', 'projections', 'gateways', 'infra'];

const newestIn = (folder: string): number => {
  let newest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) newest = Math.max(newest, newestIn(path));
    else if (entry.name.endsWith('.ts')) newest = Math.max(newest, statSync(path).mtimeMs);
  }
  return newest;
};

let known: readonly string[] | undefined;

/** Arguments of `node` that run the server: the build in `dist/` when it is no older than any source, else the sources themselves. */
export const serverEntry = (): readonly string[] => {
  if (known !== undefined) return known;
  const built = join(root, 'dist/infra/main.js');
  const isCurrent = existsSync(built) && SOURCES.every((folder) => newestIn(join(root, folder)) <= statSync(built).mtimeMs);
  known = isCurrent ? [built] : ['--import', 'tsx', join(root, 'infra/main.ts')];
  return known;
};
