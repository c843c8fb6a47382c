import type { Acknowledged } from './writer-process.ts';

/** What the audit needs of a recorded event. */
export interface Recorded {
  readonly position: bigint;
  readonly stream: string;
  readonly revision: number;
  readonly eventId: string;
  readonly data: { readonly [key: string]: unknown };
}

/** Compares what writers were told with what the log holds after they, or the log's server, were killed. */
export class CrashAudit {
  readonly #acknowledged: Acknowledged[] = [];
  readonly #ids = new Map<string, string[]>();
  readonly #positions = new Map<string, bigint[]>();
  readonly #all = new Set<string>();
  #head = 0n;

  get acknowledged(): number {
    return this.#acknowledged.length;
  }

  get recorded(): number {
    return this.#all.size;
  }

  /** The last position seen; what is recorded next must follow on it. */
  get head(): bigint {
    return this.#head;
  }

  told(acknowledged: Acknowledged): void {
    this.#acknowledged.push(acknowledged);
  }

  /** Takes the log's next event: no gap, no double, each where its writer meant it to be. */
  found({ position, stream, revision, eventId, data }: Recorded): void {
    const ids = this.#ids.get(stream) ?? [];
    const positions = this.#positions.get(stream) ?? [];
    this.#ids.set(stream, ids);
    this.#positions.set(stream, positions);
    if (position !== this.#head + 1n) throw new Error(`Position ${position} follows on ${this.#head}.`);
    if (revision !== ids.length) throw new Error(`Revision ${revision} of ${stream} follows on ${ids.length - 1}.`);
    if (data['revision'] !== revision)
      throw new Error(`The event at revision ${revision} of ${stream} was meant for ${String(data['revision'])}.`);
    if (this.#all.has(eventId)) throw new Error(`Event ${eventId} is recorded twice.`);
    this.#head = position;
    ids.push(eventId);
    positions.push(position);
    this.#all.add(eventId);
  }

  /** Everything that was acknowledged so far is recorded, in the place that its writer was told. */
  check(): void {
    for (const { stream, revision, position, ids } of this.#acknowledged) {
      const first = revision - ids.length + 1;
      const found = this.#ids.get(stream)?.slice(first, revision + 1) ?? [];
      if (found.join() !== ids.join())
        throw new Error(`Acknowledged at ${stream} ${first} to ${revision}: ${ids.join()}; recorded: ${found.join()}.`);
      if (this.#positions.get(stream)?.[revision] !== position)
        throw new Error(`Acknowledged at position ${position}, recorded elsewhere: ${stream} ${revision}.`);
    }
  }
}
