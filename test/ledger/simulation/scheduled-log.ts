import { LogUnavailable } from '../../../commands/log-unavailable.ts';
import type { Appender } from '../../../commands/ports/appender.ts';
import type { AppendOutcome, EventLog, ReadStreamOptions, StreamAppend } from '../../../commands/ports/event-log.ts';
import type { RecordedEvent } from '../../../schemas/event-envelope.ts';
import type { StreamName } from '../../../schemas/ids.ts';
import type { MemoryLog } from '../../support/memory-log.ts';

/**
 * What becomes of one request to the log.
 * - `served`: done and answered. `repeated`: done twice, as after a lost answer, and answered the second time.
 * - `busy`: turned away. `lost_before`, `lost_after`: no answer comes, and nothing was done or all of it was.
 */
export const FATES = ['served', 'repeated', 'busy', 'lost_before', 'lost_after'] as const;
export type Fate = (typeof FATES)[number];

interface PendingRequest {
  readonly process: string;
  readonly serve: (fate: Fate) => Promise<void>;
}

const lost = (): Error => new Error('the connection died');

/** A log that answers nobody until the test says whom, in whatever order and however badly it likes. */
export class ScheduledLog {
  readonly memory: MemoryLog;
  readonly #pending: PendingRequest[] = [];
  readonly #dead = new Set<string>();

  constructor(memory: MemoryLog) {
    this.memory = memory;
  }

  get pending(): number {
    return this.#pending.length;
  }

  /** Serves the request at this place of the queue. */
  async serve(index: number, fate: Fate): Promise<void> {
    const [request] = this.#pending.splice(index, 1);
    await request?.serve(fate);
  }

  /** From now on this process asks for nothing more, and no answer reaches it; what it has asked for may still be done. */
  kill(process: string): void {
    this.#dead.add(process);
  }

  /** The way one process reaches the log. */
  connect(process: string): Pick<EventLog, 'append' | 'readStream'> {
    return {
      append: (batch) => this.#request(process, (fate) => this.#append(batch, fate)),
      readStream: (stream, options) => this.#readStream(process, stream, options),
    };
  }

  #request<Answer>(process: string, work: (fate: Fate) => Promise<Answer>): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const serve = async (fate: Fate): Promise<void> => {
        try {
          const answer = await work(fate);
          if (!this.#dead.has(process)) resolve(answer);
        } catch (error) {
          if (!this.#dead.has(process)) reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
      // The timers of the dead live on in this process; what they would ask for was never asked.
      if (!this.#dead.has(process)) this.#pending.push({ process, serve });
    });
  }

  async #append(batch: readonly StreamAppend[], fate: Fate): Promise<readonly AppendOutcome[]> {
    if (fate === 'busy') return batch.map(() => ({ outcome: 'rejected', reason: 'log_busy', message: 'busy' }));
    if (fate === 'lost_before') return batch.map(() => ({ outcome: 'unknown', cause: lost() }));
    if (fate === 'repeated') await this.memory.append(batch);
    const outcomes = await this.memory.append(batch);
    return fate === 'lost_after' ? batch.map(() => ({ outcome: 'unknown', cause: lost() })) : outcomes;
  }

  async *#readStream(process: string, stream: StreamName, options?: ReadStreamOptions): AsyncGenerator<RecordedEvent> {
    const events = await this.#request(process, async (fate) => {
      if (fate === 'lost_before' || fate === 'lost_after') throw new LogUnavailable(lost());
      const read: RecordedEvent[] = [];
      for await (const event of this.memory.readStream(stream, options)) read.push(event);
      return read;
    });
    yield* events;
  }
}

/** Every append on its own and at once: the most disorderly way into a log that there can be. */
export const eachOnItsOwn = (log: Pick<EventLog, 'append'>): Appender => ({
  append: async (append) => (await log.append([append]))[0] as AppendOutcome,
});
