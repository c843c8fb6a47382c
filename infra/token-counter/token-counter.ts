import { Worker } from 'node:worker_threads';
import { generousTokens } from '../../domain/tokens/approximate.ts';
import { scaledTokens, tokenizerOf, type Tokenizer } from '../../domain/tokens/tokenizer.ts';
import type { TokenCounter } from '../../gateways/ports/token-counter.ts';
import type { CountAnswer, CountRequest } from './token-worker.ts';

export interface TokenCounterOptions {
  /** A count that takes longer is given up and made by length. Milliseconds. */
  readonly deadlineMs?: number;
  /** Characters that may wait to be counted; what comes beyond is counted by length at once. */
  readonly waitingCharacters?: number;
  /** The tokeniser's thread, and the memory of its tables, are let go after this long without work. */
  readonly idleMs?: number;
  readonly startWorker?: () => Worker;
}

export interface ClosableTokenCounter extends TokenCounter {
  close(): Promise<void>;
}

interface Waiting {
  readonly texts: readonly string[];
  readonly tokenizer: Tokenizer;
  readonly characters: number;
  readonly resolve: (tokens: number) => void;
  readonly timer: NodeJS.Timeout;
}

const entry = import.meta.url.endsWith('.ts') ? './worker-from-source.mjs' : './token-worker.js';

/** Starts the thread from the module beside this one: the built one, or its source where this runs from source. */
const startTokenWorker = (): Worker => new Worker(new URL(entry, import.meta.url), { name: 'token counter', execArgv: [] });

const byLength = (texts: readonly string[], tokenizer: Tokenizer): number =>
  texts.reduce((tokens, text) => tokens + scaledTokens(generousTokens(text), tokenizer, Buffer.byteLength(text)), 0);

const charactersIn = (texts: readonly string[]): number => texts.reduce((sum, text) => sum + text.length, 0);

/**
 * Counts with the vocabulary of the model's family in a thread of its own, which is started, and loads its tables, when they are first needed.
 * A thread that dies, takes too long or has too much to do costs exactness, never an answer.
 */
export const createTokenCounter = ({
  deadlineMs = 5_000,
  // Tokenised in less than the deadline, whatever script they are in.
  waitingCharacters = 400_000,
  idleMs = 300_000,
  startWorker = startTokenWorker,
}: TokenCounterOptions = {}): ClosableTokenCounter => {
  const waiting = new Map<number, Waiting>();
  let worker: Worker | null = null;
  const ready = new Set<string>();
  let characters = 0;
  let idle: NodeJS.Timeout | null = null;
  let next = 0;

  const settle = (id: number, tokens: number | null): void => {
    const asked = waiting.get(id);
    if (asked === undefined) return;
    waiting.delete(id);
    clearTimeout(asked.timer);
    characters -= asked.characters;
    asked.resolve(tokens ?? byLength(asked.texts, asked.tokenizer));
    if (waiting.size > 0) return;
    if (idle !== null) clearTimeout(idle);
    idle = setTimeout(() => void drop(), idleMs).unref();
    worker?.unref();
  };

  const drop = async (): Promise<void> => {
    const dropped = worker;
    worker = null;
    ready.clear();
    for (const id of [...waiting.keys()]) settle(id, null);
    if (idle !== null) clearTimeout(idle);
    idle = null;
    await dropped?.terminate();
  };

  /** A thread that still loads its tables is left to it: the next call will have use for it. One that is stuck in a count is not. */
  const tooLate = (id: number): void => {
    if (ready.has(waiting.get(id)?.tokenizer.encoding ?? '')) void drop();
    else settle(id, null);
  };

  const started = (): Worker => {
    if (worker !== null) return worker;
    const fresh = startWorker();
    const lost = (): void => {
      if (worker === fresh) void drop();
    };
    fresh.on('message', (message: CountAnswer | string) => {
      if (typeof message === 'string') ready.add(message);
      else settle(message.id, message.tokens);
    });
    fresh.on('error', lost);
    fresh.on('exit', lost);
    worker = fresh;
    return fresh;
  };

  return {
    count: (texts, model) => {
      const tokenizer = tokenizerOf(model);
      const length = charactersIn(texts);
      if (waiting.size > 0 && characters + length > waitingCharacters) return Promise.resolve(byLength(texts, tokenizer));
      return new Promise((resolve) => {
        const id = next++;
        const thread = started();
        thread.ref();
        if (idle !== null) clearTimeout(idle);
        characters += length;
        waiting.set(id, { texts, tokenizer, characters: length, resolve, timer: setTimeout(() => tooLate(id), deadlineMs) });
        thread.postMessage({ id, texts, tokenizer } satisfies CountRequest);
      });
    },
    close: drop,
  };
};
