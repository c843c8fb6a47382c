import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

/** One file of the built console. */
export interface UiFile {
  readonly body: Buffer;
  /** Compressed, where that is worth it. */
  readonly gzipped: Buffer | null;
  readonly type: string;
  readonly etag: string;
  /** Its name holds a digest of its content: it never changes. */
  readonly immutable: boolean;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.webmanifest': 'application/manifest+json',
  '.txt': 'text/plain; charset=utf-8',
};
const COMPRESSED: readonly string[] = ['.html', '.js', '.css', '.json', '.svg', '.webmanifest', '.txt'];
const WORTH_COMPRESSING_BYTES = 1_024;

const compress = promisify(gzip);

const readUiFile = async (path: string, name: string): Promise<UiFile> => {
  const body = await readFile(path);
  const extension = extname(path);
  return {
    body,
    gzipped: COMPRESSED.includes(extension) && body.length >= WORTH_COMPRESSING_BYTES ? await compress(body) : null,
    type: TYPES[extension] ?? 'application/octet-stream',
    etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`,
    immutable: name.startsWith('/assets/'),
  };
};

/** The built console by address, all of it in memory: it is small, and nothing but what was built can be asked for. `null` where none was built. */
export const loadUiFiles = async (directory: string): Promise<ReadonlyMap<string, UiFile> | null> => {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => null);
  if (entries === null) return null;
  const files = new Map<string, UiFile>();
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const name = `/${relative(directory, path).split(sep).join('/')}`;
    if (!name.includes('/.')) files.set(name, await readUiFile(path, name));
  }
  return files.has('/index.html') ? files : null;
};
