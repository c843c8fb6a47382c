import type { Frame, FrameSocket } from '../../ports/frame-sockets.ts';

/**
 * One direction of a session: frames in their order, one after another where one has to wait, and no more of them in memory than the
 * other side is behind. Its source is paused while a frame waits or the sink has more than `mostUnsent` bytes to send.
 */
export class Lane {
  readonly #source: FrameSocket;
  readonly #sink: FrameSocket;
  readonly #pass: (frame: Frame) => Promise<void> | void;
  readonly #failed: (cause: unknown) => void;
  readonly #mostUnsent: number;
  readonly #waiting: Frame[] = [];
  #isBusy = false;
  #isPaused = false;
  #isOver = false;
  #onDry: (() => void) | null = null;

  constructor(
    source: FrameSocket,
    sink: FrameSocket,
    mostUnsent: number,
    pass: (frame: Frame) => Promise<void> | void,
    failed: (cause: unknown) => void,
  ) {
    this.#source = source;
    this.#sink = sink;
    this.#mostUnsent = mostUnsent;
    this.#pass = pass;
    this.#failed = failed;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  push(frame: Frame): void {
    if (this.#isOver) return;
    this.#waiting.push(frame);
    this.#run();
  }

  /** Some of what the sink had to send has gone out. */
  settle(): void {
    if (this.#isOver) return;
    const behind = this.#isBusy || this.#sink.unsentBytes > (this.#isPaused ? this.#mostUnsent / 2 : this.#mostUnsent);
    if (behind === this.#isPaused) return;
    this.#isPaused = behind;
    if (behind) this.#source.pause();
    else this.#source.resume();
  }

  /** Called once nothing waits any more. */
  whenDry(then: () => void): void {
    if (this.#isBusy) this.#onDry = then;
    else then();
  }

  end(): void {
    this.#isOver = true;
    this.#waiting.length = 0;
  }

  #run(): void {
    while (!this.#isBusy && !this.#isOver) {
      const frame = this.#waiting.shift();
      if (frame === undefined) break;
      let passing: Promise<void> | void;
      try {
        passing = this.#pass(frame);
      } catch (cause) {
        // A bug ends this session; thrown into its socket it would end all of them.
        this.#failed(cause);
        continue;
      }
      if (passing === undefined) continue;
      this.#isBusy = true;
      passing.catch(this.#failed).finally(() => {
        this.#isBusy = false;
        this.#run();
      });
    }
    this.settle();
    if (this.#isBusy || this.#onDry === null) return;
    const dry = this.#onDry;
    this.#onDry = null;
    dry();
  }
}
