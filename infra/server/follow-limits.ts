import { setTimeout as pause } from 'node:timers/promises';
import type { EventLog } from '../../commands/ports/event-log.ts';
import { limitPolicyStream } from '../../domain/limits/limit-policy.ts';
import { decodeEvent } from '../../domain/kernel/event-codec.ts';
import type { LimitPolicies } from '../../gateways/ports/limit-policies.ts';
import type { RecordedEvent } from '../../schemas/event-envelope.ts';
import { NO_LIMITS, type LimitPolicy } from '../../schemas/limits.ts';

const RETRY_MS = 1_000;

/** The limits that operators set, as the log says. */
export interface FollowedLimits extends LimitPolicies {
  /** Resolves once the limits in force are known. */
  readonly known: Promise<void>;
  /** Resolves once the signal has aborted. */
  readonly ended: Promise<void>;
}

/** Keeps the limits current until the signal aborts. `onFault` hears of what goes wrong meanwhile; the last known limits hold then. */
export const followLimits = (
  log: Pick<EventLog, 'subscribe' | 'readStream' | 'head'>,
  signal: AbortSignal,
  onFault: (error: unknown) => void,
): FollowedLimits => {
  let current: LimitPolicy = NO_LIMITS;
  let known: () => void = () => undefined;
  const whenKnown = new Promise<void>((resolve) => (known = resolve));
  const take = (recorded: RecordedEvent): void => {
    const event = decodeEvent(recorded);
    if (event.type === 'LimitsSet') current = event.data.policy;
  };
  const follow = async (): Promise<void> => {
    const after = await log.head();
    for await (const recorded of log.readStream(limitPolicyStream, { direction: 'backwards', limit: 1 })) take(recorded);
    known();
    for await (const message of log.subscribe({ after, filter: { types: ['LimitsSet'] }, signal }))
      if (message.kind === 'events') for (const recorded of message.events) take(recorded);
  };
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      try {
        await follow();
      } catch (error) {
        onFault(error);
        await pause(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
    known();
  };
  return {
    get current() {
      return current;
    },
    known: whenKnown,
    ended: run(),
  };
};
