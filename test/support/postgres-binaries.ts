import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The oldest server the project supports. */
const OLDEST_MAJOR = 15;

/** An installed PostgreSQL server. */
export interface PostgresBinaries {
  /** Folder that holds `initdb` and `postgres`. */
  readonly bin: string;
  /** As the server prints it, e.g. `15.13`. */
  readonly version: string;
  readonly major: number;
}

/** The account a server runs under: PostgreSQL refuses to run as root. */
export interface ServerAccount {
  readonly uid?: number;
  readonly gid?: number;
}

function candidates(): string[] {
  const chosen = process.env['POSTGRES_BIN'];
  if (chosen !== undefined) return [chosen];
  const packaged = '/usr/lib/postgresql';
  const folders = existsSync(packaged) ? readdirSync(packaged).map((version) => join(packaged, version, 'bin')) : [];
  const config = spawnSync('pg_config', ['--bindir'], { encoding: 'utf8' });
  if (config.status === 0) folders.push(config.stdout.trim());
  return [...folders, ...(process.env['PATH'] ?? '').split(delimiter), '/usr/local/pgsql/bin'];
}

function inspect(bin: string): PostgresBinaries | undefined {
  if (!existsSync(join(bin, 'postgres')) || !existsSync(join(bin, 'initdb'))) return undefined;
  const printed = spawnSync(join(bin, 'postgres'), ['--version'], { encoding: 'utf8' }).stdout ?? '';
  const version = /(\d+)(?:\.\d+)*/.exec(printed);
  if (version === null) return undefined;
  return { bin, version: version[0], major: Number(version[1]) };
}

/** The newest supported PostgreSQL server on this machine, if there is one; the one in the folder `POSTGRES_BIN` where that is set. */
export function findPostgresBinaries(): PostgresBinaries | undefined {
  return [...new Set(candidates())]
    .map(inspect)
    .filter((found) => found !== undefined)
    .filter((found) => found.major >= OLDEST_MAJOR)
    .sort((a, b) => b.major - a.major)[0];
}

function idOf(flag: '-u' | '-g', user: string): number {
  const answer = spawnSync('id', [flag, user], { encoding: 'utf8' });
  if (answer.status !== 0) throw new Error(`PostgreSQL refuses to run as root and the account "${user}" to run it under does not exist.`);
  return Number(answer.stdout.trim());
}

/** Whom servers run as: `postgres` when this process is root, else ourselves. */
export function serverAccount(): ServerAccount {
  return process.getuid?.() === 0 ? { uid: idOf('-u', 'postgres'), gid: idOf('-g', 'postgres') } : {};
}
