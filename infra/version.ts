import { readFileSync } from 'node:fs';
import { z } from 'zod';

const Manifest = z.object({ version: z.string() });

/** The package's manifest stands one folder above the sources, and two above what is built from them. */
const manifest = (): string => {
  for (const path of ['../package.json', '../../package.json']) {
    try {
      return readFileSync(new URL(path, import.meta.url), 'utf8');
    } catch {
      // Not there: the other one is.
    }
  }
  throw new Error('package.json is not where it belongs');
};

export const VERSION = Manifest.parse(JSON.parse(manifest())).version;
