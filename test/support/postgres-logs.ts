import { closeSync, fstatSync, mkdirSync, openSync, readdirSync, readSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const KEEP_MS = 24 * 3600 * 1000;
const TAIL_BYTES = 4096;

const KEY = Symbol.for('oblivious.test.postgres-logs');

function opened(): string[] {
  const holder = globalThis as { [KEY]?: string[] };
  holder[KEY] ??= [];
  return holder[KEY];
}

/** Opens a fresh server log that outlives its server; logs older than a day are removed on the way. */
export function openPostgresLog(name: string): { readonly file: string; readonly fd: number } {
  const folder = join(tmpdir(), `oblivious-postgres-logs-${process.getuid?.() ?? 'user'}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const entry of readdirSync(folder)) {
    const path = join(folder, entry);
    if (Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()) > KEEP_MS) rmSync(path, { force: true });
  }
  const file = join(folder, `${name}.log`);
  opened().push(file);
  return { file, fd: openSync(file, 'a', 0o600) };
}

/** The end of a log, whole lines only. */
export function tailOf(file: string, bytes: number = TAIL_BYTES): string {
  const fd = openSync(file, 'r');
  try {
    const size = fstatSync(fd).size;
    const start = Math.max(0, size - bytes);
    const buffer = Buffer.alloc(size - start);
    readSync(fd, buffer, 0, buffer.length, start);
    const text = buffer.toString('utf8');
    return start === 0 ? text.trimEnd() : text.slice(text.indexOf('\n') + 1).trimEnd();
  } finally {
    closeSync(fd);
  }
}

/** The last two server logs of this process and how they end, for showing when a test failed. */
export function recentPostgresLogs(): { file: string; tail: string }[] {
  return opened()
    .slice(-2)
    .filter((file) => statSync(file, { throwIfNoEntry: false }) !== undefined)
    .map((file) => ({ file, tail: tailOf(file) }));
}
