import { createRequire } from 'node:module';

interface RequestQueue {
  readonly pending: readonly unknown[];
  readonly throttledUntil: number;
  scheduleCheckPendingRequests(): void;
}

const DONE = Symbol.for('oblivious.kafka.request-timers');

/**
 * kafkajs sets a timer after each response, also when no request waits and no broker throttles, and then with a negative time: one
 * wasted wake-up per response, and a `TimeoutNegativeWarning` from Node 24 on. Here it sets one only when there is something to wait for.
 */
export const quietRequestTimers = (): void => {
  const queue = createRequire(import.meta.url)('kafkajs/src/network/requestQueue') as {
    readonly prototype: RequestQueue & { [DONE]?: true };
  };
  const { prototype } = queue;
  if (prototype[DONE]) return;
  // eslint-disable-next-line @typescript-eslint/unbound-method
  const schedule = prototype.scheduleCheckPendingRequests;
  prototype.scheduleCheckPendingRequests = function () {
    if (this.pending.length > 0 || this.throttledUntil > Date.now()) schedule.call(this);
  };
  prototype[DONE] = true;
};
