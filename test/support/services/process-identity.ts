import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

const BOOT_ID = '/proc/sys/kernel/random/boot_id';

const onLinux = (pid: number): string | undefined => {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // The name of the program, in parentheses, may hold anything; the fields behind it are counted from 3.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
  return `${readFileSync(BOOT_ID, 'utf8').trim()} ${String(fields[19])}`;
};

const elsewhere = (pid: number): string | undefined => {
  const [state = '', ...started] = spawnSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' })
    .stdout.trim()
    .split(/\s+/);
  return state === '' || state.startsWith('Z') ? undefined : started.join(' ');
};

/**
 * What tells a process from any other that has or will have its pid: when it was started. `undefined` when there is none, or only what a
 * parent has yet to collect.
 */
export const identityOf = (pid: number): string | undefined => (existsSync(BOOT_ID) ? onLinux(pid) : elsewhere(pid));
