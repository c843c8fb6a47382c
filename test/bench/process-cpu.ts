import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** CPU times out of Linux's /proc, in seconds. */

let ticksPerSecond: number | undefined;

const inSeconds = (ticks: number): number => {
  ticksPerSecond ??= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  return ticks / ticksPerSecond;
};

/** What a file says, or nothing when its process has gone. */
const read = (file: string): string => {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
};

const threadsOf = (pid: number): string[] => {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
};

const childrenOf = (pid: number): number[] =>
  threadsOf(pid).flatMap((thread) => read(`/proc/${pid}/task/${thread}/children`).split(/\s+/).filter(Boolean).map(Number));

/** Some processes and all that descend from them. */
export const withDescendants = (pids: readonly number[]): number[] => pids.flatMap((pid) => [pid, ...withDescendants(childrenOf(pid))]);

/** User and system time that processes have used so far, all their threads together. */
export const cpuSeconds = (pids: readonly number[]): number => {
  let ticks = 0;
  for (const pid of pids) {
    const stat = read(`/proc/${pid}/stat`);
    // The second field is the program's name in brackets and may hold spaces.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    ticks += Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
  }
  return inSeconds(ticks);
};

/** The same to the nanosecond, but without the threads that have ended: for a few hundred calls, which take only some clock ticks. */
export const exactCpuSeconds = (pid: number): number =>
  threadsOf(pid).reduce((sum, thread) => sum + Number(read(`/proc/${pid}/task/${thread}/schedstat`).split(' ')[0]) / 1e9, 0);

/** What all cores together have spent on work since the machine started. */
export const machineBusySeconds = (): number => {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = (read('/proc/stat').split('\n')[0] ?? '')
    .trim()
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return inSeconds(user + nice + system + irq + softirq);
};
