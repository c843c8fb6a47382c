import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/** Written beside the data: in what state they were left. */
type Marker =
  | { readonly format: 1; readonly state: 'open'; readonly boot: string | null }
  /** Size and time of the last change of every file, by path. */
  | { readonly format: 1; readonly state: 'closed'; readonly files: Readonly<Record<string, readonly [number, number]>> };

/**
 * What can be said of the data before they are opened. `open`: their process was killed on a machine that still runs, so
 * all that it wrote is there. `damaged`: they are not to be trusted, whatever they look like inside.
 */
export type DataState =
  | { readonly state: 'absent' }
  | { readonly state: 'closed' }
  | { readonly state: 'open' }
  | { readonly state: 'damaged'; readonly reason: string };

const MARKER = 'state.json';

export const dataFolder = (directory: string): string => join(directory, 'data');

/** Names this run of the machine. The data are not synced to disk, so what an earlier run left open may be half there. */
const bootOf = (): string | null => {
  try {
    return process.platform === 'darwin'
      ? execFileSync('sysctl', ['-n', 'kern.bootsessionuuid'], { encoding: 'utf8' }).trim()
      : readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return null;
  }
};

const filesOf = (folder: string): Record<string, readonly [number, number]> => {
  const files: Record<string, readonly [number, number]> = {};
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const { size, mtimeMs } = statSync(path);
    files[relative(folder, path)] = [size, mtimeMs];
  }
  return files;
};

const write = (directory: string, marker: Marker): void => {
  const path = join(directory, MARKER);
  writeFileSync(`${path}.new`, JSON.stringify(marker), { mode: 0o600 });
  renameSync(`${path}.new`, path);
};

export const markOpen = (directory: string): void => write(directory, { format: 1, state: 'open', boot: bootOf() });

/** To be called once nothing writes any more. */
export const markClosed = (directory: string): void =>
  write(directory, { format: 1, state: 'closed', files: filesOf(dataFolder(directory)) });

export const removeData = (directory: string): void => {
  rmSync(join(directory, MARKER), { force: true });
  rmSync(dataFolder(directory), { recursive: true, force: true });
};

const firstDifference = (before: Marker & { state: 'closed' }, now: Record<string, readonly [number, number]>): string | null => {
  for (const [path, [size, changedAt]] of Object.entries(before.files)) {
    const file = now[path];
    if (file === undefined) return `${path} is gone`;
    if (file[0] !== size) return `${path} has ${file[0]} bytes instead of ${size}`;
    if (file[1] !== changedAt) return `${path} was changed while nobody had it open`;
  }
  const added = Object.keys(now).find((path) => !(path in before.files));
  return added === undefined ? null : `${added} was added while nobody had it open`;
};

const exists = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined;

/** Looks at files only; opens nothing. */
export const inspectData = (directory: string): DataState => {
  if (!exists(dataFolder(directory))) return { state: 'absent' };
  let marker: Marker;
  try {
    marker = JSON.parse(readFileSync(join(directory, MARKER), 'utf8')) as Marker;
  } catch {
    return { state: 'damaged', reason: 'nothing says in what state they were left' };
  }
  if (marker.format !== 1) return { state: 'damaged', reason: 'another version left them' };
  if (marker.state === 'open') {
    return marker.boot !== null && marker.boot === bootOf()
      ? { state: 'open' }
      : { state: 'damaged', reason: 'the machine went down while they were open' };
  }
  const difference = firstDifference(marker, filesOf(dataFolder(directory)));
  return difference === null ? { state: 'closed' } : { state: 'damaged', reason: difference };
};
