import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import type { BridgePlace } from '../bridge-setting.ts';
import { Condition } from '../reading.ts';

/** A bridge in a process of its own, to be killed. */
export class BridgeProcess {
  readonly #process: ChildProcess;
  readonly #changed = new Condition();
  readonly #gone: Promise<void>;
  readonly #states: string[] = [];

  constructor(script: string, name: string, place: BridgePlace) {
    this.#process = spawn(process.execPath, [script, name, JSON.stringify(place)], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#states.push(...text.trim().split('\n'));
      this.#changed.notify();
    });
    this.#gone = new Promise((resolve) => this.#process.once('exit', () => resolve()));
  }

  /** Whether it acted when it last said so. */
  get isActing(): boolean {
    return this.#states.at(-1) === 'acting';
  }

  acting(): Promise<void> {
    return this.#changed.until(() => this.isActing);
  }

  waiting(): Promise<void> {
    return this.#changed.until(() => this.#states.at(-1) === 'waiting');
  }

  freeze(): void {
    this.#process.kill('SIGSTOP');
  }

  thaw(): void {
    this.#process.kill('SIGCONT');
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#gone;
  }
}
