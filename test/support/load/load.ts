import { Agent } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { call, type ClientCall, type PlannedCall } from './client-call.ts';

export interface LoadOptions {
  readonly url: string;
  readonly apiKeys: readonly string[];
  /** How many clients call at once, each again as soon as it has its answer. */
  readonly clients: number;
  /** The `n`-th call, counted from 0. */
  readonly plan: (n: number) => PlannedCall;
}

/** Clients that go on calling, whatever becomes of the server, until they are told to stop. */
export interface Load {
  readonly calls: readonly ClientCall[];
  /** Resolves when so many calls more have been seen complete. */
  complete(count: number): Promise<void>;
  /** Ends the load; every call under way is waited for. */
  stop(): Promise<readonly ClientCall[]>;
}

/** A server that is down is asked again this often by each client. */
const AGAIN_MS = 100;

export const startLoad = ({ url, apiKeys, clients, plan }: LoadOptions): Load => {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const calls: ClientCall[] = [];
  const waiters: { left: number; readonly resolve: () => void }[] = [];
  let isStopped = false;
  let count = 0;

  const client = async (index: number): Promise<void> => {
    const apiKey = apiKeys[index % apiKeys.length] as string;
    while (!isStopped) {
      const made = await call(url, apiKey, agent, plan(count++));
      calls.push(made);
      if (made.seen === 'complete') {
        for (const waiter of waiters) if (--waiter.left === 0) waiter.resolve();
      } else if (made.seen === 'broken' || made.status === 503) await pause(AGAIN_MS);
    }
  };
  const running = Promise.all(Array.from({ length: clients }, (_, index) => client(index)));
  return {
    calls,
    complete: (left) => new Promise((resolve) => waiters.push({ left, resolve })),
    stop: async () => {
      isStopped = true;
      await running;
      agent.destroy();
      return calls;
    },
  };
};
