import type { Position, RecordedEvent } from '../../schemas/event-envelope.ts';
import type { EventFeed } from '../../projections/ports/event-feed.ts';
import { pause } from '../event-log/abortable.ts';
import { backoffMs } from '../event-log/backoff.ts';
import type { ProgramLog } from '../logging/logger.ts';
import { every } from '../server/every.ts';
import { batchesOf } from './batches.ts';
import type { BridgeLease, HeldLease } from './bridge-lease.ts';
import type { BridgeObserver } from './bridge-metrics.ts';
import type { BridgeSession, BridgeTarget } from './kafka-target.ts';

/** How often is looked how far behind it is. */
const LAG_MS = 2_000;
/** A broker that does not answer must not hold up the next try, or the end. */
const CLOSE_MS = 3_000;

export interface BridgeDeps {
  readonly feed: EventFeed;
  readonly lease: Pick<BridgeLease, 'take'>;
  readonly target: BridgeTarget;
  readonly observer: BridgeObserver;
  readonly programLog: Pick<ProgramLog, 'info' | 'warn'>;
}

class BatchNotPublished extends Error {
  readonly outcome: string;
  constructor(outcome: string, cause: Error) {
    super(`A batch for Kafka is ${outcome}: ${cause.message}`, { cause });
    this.name = 'BatchNotPublished';
    this.outcome = outcome;
  }
}

/**
 * Hands every event of the log on to Kafka, once and in order, until the signal aborts. Of several processes that run it one acts, under a
 * lease; the others wait for it to end, to die or to fall silent.
 *
 * What keeps a process that lost the lease without knowing from writing is not the lease but Kafka, which fences it as soon as another one
 * opens a session. The lease keeps two healthy ones from fencing each other in turn.
 */
export const runBridge = async (deps: BridgeDeps, signal: AbortSignal): Promise<void> => {
  const { lease, observer, programLog } = deps;
  observer.acting(false);
  while (!signal.aborted) {
    const held = await lease.take(signal);
    if (held === null) return;
    programLog.info('this process hands events on to Kafka', { fence: String(held.fence) });
    try {
      await act(deps, held, signal);
    } finally {
      observer.acting(false);
      observer.behind(null);
      await held.release();
      if (!signal.aborted) programLog.warn('this process hands no events on any more: it lost its lease', { fence: String(held.fence) });
    }
  }
};

const act = async (deps: BridgeDeps, held: HeldLease, signal: AbortSignal): Promise<void> => {
  const over = AbortSignal.any([signal, held.lost]);
  for (let failures = 0; !over.aborted; failures += 1) {
    try {
      await handOn(deps, held, over, () => (failures = -1));
    } catch (error) {
      const reason = error instanceof BatchNotPublished ? error.outcome : error instanceof Error ? error.name : 'unknown';
      deps.observer.failed(reason);
      // An outage of hours must not fill the log with one line.
      if (failures < 1 || isPowerOfTwo(failures))
        deps.programLog.warn('handing events on to Kafka failed and is begun again', { reason, error });
    }
    deps.observer.acting(false);
    await pause(backoffMs(Math.max(0, failures)), over);
  }
};

const isPowerOfTwo = (count: number): boolean => (count & (count - 1)) === 0;

/** One session: from where readers of Kafka are, until something fails or it is over. */
const handOn = async (
  { feed, target, observer }: BridgeDeps,
  held: HeldLease,
  over: AbortSignal,
  progressed: () => void,
): Promise<void> => {
  const session = await target.open(held.fence);
  const lag = new LagWatch(feed, session, observer);
  try {
    // It may have been stopped before it fenced whoever acts now. They find their way back; it must not go on.
    if (!(await held.confirm())) return;
    observer.acting(true);
    for await (const message of feed.subscribe({ after: session.position, signal: over })) {
      if (message.kind !== 'events') continue;
      // A log may deliver events again after its connection broke.
      for (const batch of batchesOf(message.events.filter(({ position }) => position > lag.position))) {
        if (!held.held) return;
        await publish(session, batch, observer);
        lag.reached(batch);
        progressed();
      }
    }
  } finally {
    lag.stop();
    await Promise.race([session.close(), pause(CLOSE_MS, new AbortController().signal)]);
  }
};

const publish = async (session: BridgeSession, batch: readonly RecordedEvent[], observer: BridgeObserver): Promise<void> => {
  const began = performance.now();
  const published = await session.publish(batch);
  if (published.outcome !== 'published') throw new BatchNotPublished(published.outcome, published.cause);
  observer.published(batch.length, (performance.now() - began) / 1_000);
};

/** Looks now and then how far behind the log readers of Kafka are. */
class LagWatch {
  position: Position;
  readonly #feed: EventFeed;
  readonly #observer: BridgeObserver;
  readonly #end: () => Promise<void>;
  #ended = false;

  constructor(feed: EventFeed, { position }: BridgeSession, observer: BridgeObserver) {
    this.position = position;
    this.#feed = feed;
    this.#observer = observer;
    // While the log is away the figures stay as they were; that it is away is told elsewhere.
    this.#end = every(
      LAG_MS,
      () => this.#look(),
      () => undefined,
    );
  }

  reached(batch: readonly RecordedEvent[]): void {
    this.position = batch.at(-1)?.position ?? this.position;
  }

  stop(): void {
    this.#ended = true;
    void this.#end();
  }

  async #look(): Promise<void> {
    const { position } = this;
    const head = await this.#feed.head();
    let oldest: string | undefined;
    if (head > position) for await (const { recordedAt } of this.#feed.readAll({ after: position, limit: 1 })) oldest = recordedAt;
    if (this.#ended) return;
    const seconds = oldest === undefined ? 0 : Math.max(0, Date.now() - Date.parse(oldest)) / 1_000;
    this.#observer.behind({ position, positions: head > position ? head - position : 0n, seconds });
  }
}
