import { write, writeSync } from 'node:fs';
import { Writable } from 'node:stream';

/** Lines are dropped, and counted, beyond this many waiting bytes: a log that nobody reads must not take the server down. */
const MOST_WAITING = 16 * 1024 * 1024;

/**
 * How long a line may wait for others to be written with it. Each write wakes a thread of libuv's and then this one: at four hundred calls a second and
 * 5 ms those were three of ten context switches of the process.
 */
const GATHER_MS = 25;

/**
 * Writes whole lines to a file descriptor, many at a time: at thousands of requests a second a system call for each line
 * would cost more than making it.
 */
export class LineSink extends Writable {
  readonly #fd: number;
  #lines: string[] = [];
  #bytes = 0;
  #timer: NodeJS.Timeout | null = null;
  #writing = false;
  dropped = 0;

  constructor(fd: number) {
    super({ decodeStrings: false });
    this.#fd = fd;
  }

  override _write(chunk: string | Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.writeLine(chunk.toString());
    done();
  }

  /** Takes one line, with its line end. */
  writeLine(line: string): void {
    if (this.#bytes + line.length > MOST_WAITING) {
      this.dropped++;
      return;
    }
    this.#lines.push(line);
    this.#bytes += line.length;
    if (this.#timer === null && !this.#writing) this.#timer = setTimeout(() => this.#flush(), GATHER_MS);
  }

  /** Writes what waits before the process ends. */
  flushSync(): void {
    const text = this.#take();
    if (text === '') return;
    try {
      writeSync(this.#fd, text);
    } catch {
      // The reader of the log is gone; there is nobody left to tell.
    }
  }

  #take(): string {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const text = this.#lines.join('');
    this.#lines = [];
    this.#bytes = 0;
    return text;
  }

  #flush(): void {
    const data = Buffer.from(this.#take());
    if (data.length > 0) this.#writeAll(data);
  }

  #writeAll(data: Buffer): void {
    this.#writing = true;
    write(this.#fd, data, 0, data.length, null, (error, written) => {
      if (error?.code === 'EAGAIN') return void setTimeout(() => this.#writeAll(data), GATHER_MS);
      if (error === null && written < data.length) return this.#writeAll(data.subarray(written));
      this.#writing = false;
      if (this.#lines.length > 0) this.#flush();
    });
  }
}
