import { refuse, type Refusal } from '../../../schemas/errors.ts';
import type { BodyFiles } from '../../ports/body-files.ts';
import type { Elision } from './elision.ts';

export interface BodyRoomLimits {
  /** Held in memory by the bodies of all calls together. */
  readonly memoryBytes: number;
  /** On disk. */
  readonly diskBytes: number;
  /** From this size on a body's long runs lie on disk. */
  readonly diskFromBytes: number;
}

/** Bodies that are unpacked at once: each may come to the largest that is taken. */
const UNPACKED_AT_ONCE = 4;

export const NO_ROOM: Refusal = refuse('bodies_full', undefined, { retryAfterSeconds: 1 });

export const DISK_FAILED: Refusal = refuse(
  'bodies_full',
  'A body of this size is put on disk, and the disk does not take it at the moment.',
  {
    retryAfterSeconds: 5,
  },
);

/** The room that there is for the bodies of all calls of this process. */
export class BodyRoom {
  readonly limits: BodyRoomLimits;
  /** `null`: all bodies are held in memory. */
  readonly files: BodyFiles | null;
  #memory = 0;
  #disk = 0;
  #unpacking = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(limits: BodyRoomLimits, files: BodyFiles | null) {
    this.limits = limits;
    this.files = files;
  }

  get taken(): { readonly memory: number; readonly disk: number } {
    return { memory: this.#memory, disk: this.#disk };
  }

  takeMemory(bytes: number): boolean {
    if (bytes > 0 && this.#memory + bytes > this.limits.memoryBytes) return false;
    this.#memory += bytes;
    return true;
  }

  takeDisk(bytes: number): boolean {
    if (bytes > 0 && this.#disk + bytes > this.limits.diskBytes) return false;
    this.#disk += bytes;
    return true;
  }

  /** Runs it when it is its turn. */
  async unpacking<T>(unpack: () => Promise<T>): Promise<T> {
    if (this.#unpacking >= UNPACKED_AT_ONCE) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#unpacking++;
    try {
      return await unpack();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#unpacking--;
      else next();
    }
  }
}

/** What of that room one call has. */
export class CallRoom {
  readonly room: BodyRoom;
  elision: Elision | null = null;
  #memory = 0;
  #disk = 0;

  constructor(room: BodyRoom) {
    this.room = room;
  }

  /** Has so much in memory from here on, and not what it had before. */
  memory(bytes: number): boolean {
    if (!this.room.takeMemory(bytes - this.#memory)) return false;
    this.#memory = bytes;
    return true;
  }

  /** Has so much beside what it has already. */
  more(bytes: number): boolean {
    return this.memory(this.#memory + bytes);
  }

  disk(bytes: number): boolean {
    if (!this.room.takeDisk(bytes - this.#disk)) return false;
    this.#disk = bytes;
    return true;
  }

  release(): void {
    this.memory(0);
    this.disk(0);
    this.elision?.release();
    this.elision = null;
  }
}
