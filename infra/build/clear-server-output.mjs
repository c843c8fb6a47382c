// A source that was renamed or removed must not live on in the build.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { COMPILED } from './server-output.mjs';

for (const folder of COMPILED) rmSync(join('dist', folder), { recursive: true, force: true });
