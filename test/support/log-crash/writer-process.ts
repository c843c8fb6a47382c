import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';

/** What a writer was told is durable. */
export interface Acknowledged {
  readonly stream: string;
  readonly revision: number;
  readonly position: bigint;
  readonly ids: readonly string[];
}

/** A child process that runs `main.ts` beside this file, started ahead and told when to go. */
export class WriterProcess {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #gone: Promise<void>;
  readonly #onAcknowledged: (acknowledged: Acknowledged) => void;
  #acknowledged: () => void = () => undefined;
  #ready: () => void = () => undefined;
  #output = '';
  #complaint = '';
  #isKilled = false;

  /** Resolves when the process waits to be told to go; fails should it end by itself before. */
  readonly ready: Promise<void>;

  constructor(script: string, args: readonly string[], onAcknowledged: (acknowledged: Acknowledged) => void) {
    this.#onAcknowledged = onAcknowledged;
    this.#child = spawn(process.execPath, [script, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.stdin.on('error', () => undefined);
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => this.#heard(text));
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#complaint += text));
    this.#gone = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('close', (code) => {
        if (this.#isKilled) resolve();
        else reject(new Error(`A writer ended by itself with ${String(code)}:\n${this.#complaint}`));
      });
    });
    this.#gone.catch(() => undefined);
    this.ready = this.#unlessGone(new Promise((resolve) => (this.#ready = resolve)));
  }

  #unlessGone(milestone: Promise<void>): Promise<void> {
    const either = Promise.race([milestone, this.#gone]);
    either.catch(() => undefined);
    return either;
  }

  /** Resolves with the next acknowledgement; fails should the process end by itself before. */
  atWork(): Promise<void> {
    return this.#unlessGone(new Promise((resolve) => (this.#acknowledged = resolve)));
  }

  go(): void {
    this.#child.stdin.write('go\n');
  }

  /** `SIGKILL`; resolves when the process is gone and all it said was heard. */
  kill(): Promise<void> {
    this.#isKilled = true;
    this.#child.kill('SIGKILL');
    return this.#gone;
  }

  /** Throws should the writer have ended by itself. */
  async check(): Promise<void> {
    if (this.#child.exitCode !== null) await this.#gone;
  }

  #heard(text: string): void {
    this.#output += text;
    const lines = this.#output.split('\n');
    this.#output = lines.pop() as string;
    for (const line of lines) {
      if (line === 'ready') {
        this.#ready();
        continue;
      }
      const [stream, revision, position, ...ids] = line.split(' ') as [string, string, string, ...string[]];
      this.#onAcknowledged({ stream, revision: Number(revision), position: BigInt(position), ids });
      this.#acknowledged();
    }
  }
}
