import { execFile } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const manifest = join(root, 'dist/ui/.vite/manifest.json');

const newestIn = (folder: string): number =>
  Math.max(
    0,
    ...readdirSync(folder, { withFileTypes: true }).map((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? newestIn(path) : statSync(path).mtimeMs;
    }),
  );

const isCurrent = (): boolean =>
  existsSync(manifest) && Math.max(newestIn(join(root, 'ui')), newestIn(join(root, 'schemas'))) <= statSync(manifest).mtimeMs;

let built: Promise<unknown> | undefined;

/** The folder of the built console; builds it first, in a process of its own, where the build is missing or older than a source. */
export const builtConsole = async (): Promise<string> => {
  if (!isCurrent())
    built ??= promisify(execFile)(process.execPath, [join(root, 'node_modules/vite/bin/vite.js'), 'build', 'ui', '--logLevel', 'error'], {
      cwd: root,
    });
  await built;
  return join(root, 'dist/ui');
};
