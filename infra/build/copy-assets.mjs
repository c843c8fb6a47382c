// Copies what the compiled server reads beside its code (SQL, data, templates) into the build, keeping the paths, so that
// `new URL('./x.sql', import.meta.url)` means the same in the sources and in dist/.
import { cpSync, readdirSync } from 'node:fs';
import { extname, join, sep } from 'node:path';
import { COMPILED } from './server-output.mjs';

const CODE = new Set(['.ts', '.mts', '.cts', '.tsx', '.md']);
/** Entries of threads and processes for when the program runs uncompiled. */
const FROM_SOURCE = /-from-source\.mjs$/;
/** Folders for building and deploying, which the server never reads. */
const NOT_READ = [join('infra', 'build'), join('infra', 'docker'), join('infra', 'helm')];

function* filesBelow(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (NOT_READ.some((skipped) => path === skipped || path.startsWith(skipped + sep))) continue;
    if (entry.isDirectory()) yield* filesBelow(path);
    else if (!CODE.has(extname(entry.name)) && !FROM_SOURCE.test(entry.name)) yield path;
  }
}

let copied = 0;
for (const house of COMPILED) {
  for (const file of filesBelow(house)) {
    cpSync(file, join('dist', file));
    copied += 1;
  }
}
process.stdout.write(`build: ${copied} data files copied beside the compiled server\n`);
