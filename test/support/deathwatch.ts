import { spawn } from 'node:child_process';

/** Waits in a process of its own until this one is gone, however it went, and then cleans up after it. */
export interface Deathwatch {
  /** Runs the script now and resolves when it is through. */
  fire(): Promise<void>;
}

/**
 * Starts a shell that blocks on a pipe from this process and runs `script` when the pipe closes, which a `SIGKILL` does as surely as a
 * normal exit. It sits in a session of its own, so a signal to our process group does not take it along.
 *
 * @param script POSIX shell; `args` are its `$1`, `$2`, …
 */
export function watchForDeath(script: string, args: readonly string[]): Deathwatch {
  const shell = spawn('/bin/sh', ['-c', `while read -r _; do :; done\n${script}`, 'deathwatch', ...args], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const gone = new Promise<void>((resolve) => shell.once('exit', () => resolve()));
  shell.unref();
  const pipe = shell.stdin as typeof shell.stdin & { unref?: () => void };
  pipe.on('error', () => undefined);
  pipe.unref?.();
  return {
    fire: async () => {
      shell.ref();
      pipe.end();
      await gone;
    },
  };
}
