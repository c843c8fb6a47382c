import { Worker } from 'node:worker_threads';
import { approximateTokens } from '../../domain/tokens/approximate.ts';
import type { TokenCounter } from '../../gateways/ports/token-counter.ts';
import type { CountAnswer, CountRequest } from './token-worker.ts';

export interface TokenCounterOptions {
  /** A count that takes longer is given up and made by length. Milliseconds. */
  readonly deadlineMs?: number;
  /** The tokeniser's thread, and the memory of its tables, are let go after this long without work. */
  readonly idleMs?: number;
  readonly startWorker?: () => Worker;
}

export interface ClosableTokenCounter extends TokenCounter {
  close(): Promise<void>;
}

interface Waiting {
  readonly texts: readonly string[];
  readonly resolve: (tokens: number) => void;
  readonly timer: NodeJS.Timeout;
}

const entry = import.meta.url.endsWith('.ts') ? './worker-from-source.mjs' : './token-worker.js';

/** Starts the thread from the module beside this one: the built one, or its source where this runs from source. */
const startTokenWorker = (): Worker => new Worker(new URL(entry, import.meta.url), { name: 'token counter', execArgv: [] });

const byLength = (texts: readonly string[]): number => texts.reduce((tokens, text) => tokens + approximateTokens(text), 0);

/**
 * Counts with the o200k_base encoding in a thread of its own, which is started when it is first needed. A thread that dies or
 * takes too long costs exactness, never an answer.
 */
export const createTokenCounter = ({
  deadlineMs = 5_000,
  idleMs = 300_000,
  startWorker = startTokenWorker,
}: TokenCounterOptions = {}): ClosableTokenCounter => {
  const waiting = new Map<number, Waiting>();
  let worker: Worker | null = null;
  let isReady = false;
  let idle: NodeJS.Timeout | null = null;
  let next = 0;

  const settle = (id: number, tokens: number | null): void => {
    const asked = waiting.get(id);
    if (asked === undefined) return;
    waiting.delete(id);
    clearTimeout(asked.timer);
    asked.resolve(tokens ?? byLength(asked.texts));
    if (waiting.size > 0) return;
    if (idle !== null) clearTimeout(idle);
    idle = setTimeout(() => void drop(), idleMs).unref();
    worker?.unref();
  };

  const drop = async (): Promise<void> => {
    const dropped = worker;
    worker = null;
    isReady = false;
    for (const id of [...waiting.keys()]) settle(id, null);
    if (idle !== null) clearTimeout(idle);
    idle = null;
    await dropped?.terminate();
  };

  /** A thread that still loads its tables is left to it: the next call will have use for it. One that is stuck in a count is not. */
  const tooLate = (id: number): void => {
    if (isReady) void drop();
    else settle(id, null);
  };

  const started = (): Worker => {
    if (worker !== null) return worker;
    const fresh = startWorker();
    const lost = (): void => {
      if (worker === fresh) void drop();
    };
    fresh.on('message', (message: CountAnswer | string) => {
      if (typeof message === 'string') isReady = true;
      else settle(message.id, message.tokens);
    });
    fresh.on('error', lost);
    fresh.on('exit', lost);
    worker = fresh;
    return fresh;
  };

  return {
    count: (texts) =>
      new Promise((resolve) => {
        const id = next++;
        const thread = started();
        thread.ref();
        if (idle !== null) clearTimeout(idle);
        waiting.set(id, { texts, resolve, timer: setTimeout(() => tooLate(id), deadlineMs) });
        thread.postMessage({ id, texts } satisfies CountRequest);
      }),
    close: drop,
  };
};
