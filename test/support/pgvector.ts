import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { PostgresBinaries } from './postgres-binaries.ts';

const BUILD_SCRIPT = resolve(import.meta.dirname, '../../infra/build/pgvector.sh');

/** Makes `CREATE EXTENSION vector` work on a local server, building the extension when the machine lacks it. */
export function ensurePgvector(binaries: PostgresBinaries): void {
  if (existsSync(`/usr/share/postgresql/${binaries.major}/extension/vector.control`)) return;
  const built = spawnSync('bash', [BUILD_SCRIPT, binaries.bin], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  if (built.status !== 0) throw new Error(`pgvector is missing and could not be built:\n${built.stdout}${built.stderr}`);
}
