import { START, type EventFilter, type Position } from '../../schemas/event-envelope.ts';

/** Category and type in one word. */
export const kindOf = (stream: string, type: string): string => `${stream.slice(0, stream.indexOf('-'))}/${type}`;

/** Who waits: what it wants, and up to where it has seen everything. */
interface Reader {
  readonly filter: EventFilter | undefined;
  readonly position: Position;
}

interface Told {
  version: number;
  position: Position;
}

const wantsKind = (filter: EventFilter | undefined, kind: string): boolean => {
  if (filter === undefined) return true;
  const slash = kind.indexOf('/');
  return (
    (filter.categories === undefined || filter.categories.includes(kind.slice(0, slash))) &&
    (filter.types === undefined || filter.types.includes(kind.slice(slash + 1)))
  );
};

/**
 * Tells waiting readers that the log may have grown by something that they want. A reader notes the {@link version} *before* it looks and
 * waits for a later one, so that nothing announced while it looked is lost.
 *
 * Readers that want little of a busy log would otherwise look after every append of every process, each look a query: with n processes
 * that is n² of them.
 */
export class Changes {
  #version = 0;
  /** The last announcement of each kind, and of something that may be anything; positions never go down, as announcements may overtake each other. */
  readonly #told = new Map<string, Told>();
  readonly #anything: Told = { version: 0, position: START };
  /** The last announcement that knew no position: everybody must look once. */
  #anywhere = 0;
  readonly #waiting = new Map<() => void, Reader>();

  get version(): number {
    return this.#version;
  }

  /** Somebody appended: kinds as {@link kindOf} says them, and the position of the last event. Without kinds it may be anything, without a position anywhere. */
  announce({ kinds, position }: { readonly kinds?: readonly string[]; readonly position?: Position } = {}): void {
    this.#version += 1;
    if (position === undefined) this.#anywhere = this.#version;
    else if (kinds === undefined) this.#note(this.#anything, position);
    else
      for (const kind of kinds) {
        let told = this.#told.get(kind);
        if (told === undefined) this.#told.set(kind, (told = { version: 0, position: START }));
        this.#note(told, position);
      }
    for (const [wake, reader] of [...this.#waiting])
      if (
        position === undefined ||
        (position > reader.position && (kinds === undefined || kinds.some((kind) => wantsKind(reader.filter, kind))))
      )
        wake();
  }

  /** Resolves at the first announcement after version `seen` that the reader must look for, or when the signal aborts. */
  after(seen: number, reader: Reader, signal: AbortSignal): Promise<void> {
    if (signal.aborted || (this.#version !== seen && this.#concerns(seen, reader))) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        this.#waiting.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#waiting.set(done, reader);
      signal.addEventListener('abort', done, { once: true });
    });
  }

  #note(told: Told, position: Position): void {
    told.version = this.#version;
    if (position > told.position) told.position = position;
  }

  #concerns(seen: number, { filter, position }: Reader): boolean {
    const isNews = (told: Told): boolean => told.version > seen && told.position > position;
    if (this.#anywhere > seen || isNews(this.#anything)) return true;
    for (const [kind, told] of this.#told) if (isNews(told) && wantsKind(filter, kind)) return true;
    return false;
  }
}
