import type { StoredEvent } from '../../infra/event-log/stored-event.ts';
import { timeSortedIds } from '../../infra/ids.ts';
import type { Position } from '../../schemas/event-envelope.ts';

const [USERS, KEYS, MODELS, CHANNELS] = [10, 20, 5, 3];
const CALLS_OF_A_LEASE = 300;
/** Calls that run at one time, each of them begun and not ended. */
const RUNNING = 64;

const ids = (prefix: string, count: number): string[] => Array.from({ length: count }, () => timeSortedIds.next(prefix));

/**
 * Events as the relay writes them, one after another, in text as the log hands them on: calls of 10 users with 20 keys and 5 models, so many a
 * second.
 */
export const storedEvents = (calls: number, rate: number): StoredEvent[] => {
  const users = ids('usr', USERS);
  const keys = ids('key', KEYS);
  const channels = ids('chn', CHANNELS);
  const channelKeys = ids('chk', CHANNELS);
  const [priceListId] = ids('prl', 1) as [string];
  const events: StoredEvent[] = [];
  const revisions = new Map<string, number>();
  const start = Date.now();

  const write = (stream: string, type: string, at: number, userId: string, correlationId: string, data: object): void => {
    const revision = revisions.get(stream) ?? 0;
    revisions.set(stream, revision + 1);
    const occurredAt = new Date(at).toISOString();
    events.push({
      position: BigInt(events.length + 1) as Position,
      stream,
      revision,
      eventId: crypto.randomUUID(),
      type,
      schemaVersion: 1,
      recordedAt: occurredAt,
      data: JSON.stringify(data),
      metadata: JSON.stringify({
        correlationId,
        causationId: correlationId,
        commandId: `${type}:${correlationId}`,
        actor: { kind: 'token', id: userId },
        tenant: userId,
        occurredAt,
      }),
    });
  };

  for (const userId of users) {
    write(`account-${userId}`, 'AccountOpened', start, userId, userId, { userId, timeZone: 'UTC' });
    write(`account-${userId}`, 'CreditGranted', start, userId, userId, {
      userId,
      amount: '1000000000000000',
      source: 'admin',
      reason: 'bench',
      reference: null,
    });
  }
  const leases = new Map<string, { readonly leaseId: string; calls: number }>();
  const leaseOf = (userId: string, tokenId: string, at: number): string => {
    let lease = leases.get(tokenId);
    if (lease === undefined || lease.calls === CALLS_OF_A_LEASE) {
      lease = { leaseId: timeSortedIds.next('lse'), calls: 0 };
      leases.set(tokenId, lease);
      const { leaseId } = lease;
      const day = new Date(at).toISOString().slice(0, 10);
      const [admitsUntil, expiresAt] = [at + 60_000, at + 120_000].map((time) => new Date(time).toISOString());
      const granted = { leaseId, userId, tokenId, amount: '5000000000', day, holder: 'bench', admitsUntil, expiresAt };
      write(`account-${userId}`, 'SpendLeaseGranted', at, userId, leaseId, granted);
      write(`lease-${leaseId}`, 'LeaseOpened', at, userId, leaseId, { leaseId, userId, tokenId, amount: '5000000000', day });
    }
    lease.calls += 1;
    return lease.leaseId;
  };
  const running: (() => void)[] = [];
  for (let call = 0; call < calls; call++) {
    const at = start + (call * 1_000) / rate;
    const key = (call * 7) % KEYS;
    const [userId, tokenId] = [users[key % USERS] as string, keys[key] as string];
    const leaseId = leaseOf(userId, tokenId, at);
    const requestId = timeSortedIds.next('req');
    const model = `model-${(call * 3) % MODELS}-mini`;
    const reserved = { leaseId, userId, tokenId, requestId, model, priceListId };
    write(`lease-${leaseId}`, 'QuotaReserved', at, userId, requestId, { ...reserved, amount: '1234567' });
    running.push(() => {
      const attemptId = timeSortedIds.next('att');
      const [channelId, channelKeyId] = [channels[call % CHANNELS] as string, channelKeys[call % CHANNELS] as string];
      const startedAt = new Date(at).toISOString();
      const attempts = [{ attemptId, channelId, channelKeyId, outcome: 'answered', status: 200, durationMs: 26 }];
      write(`lease-${leaseId}`, 'QuotaDebited', at + 26, userId, requestId, {
        ...reserved,
        channelId,
        attemptId,
        groupRatio: 1_000_000,
        usage: { input: 312 + (call % 90), cachedInput: 64, output: 128 + (call % 50) },
        basis: 'reported',
        amount: '123456',
        computed: '123456',
        upstreamCost: '61728',
        call: {
          dialect: 'openai',
          endpoint: 'chat',
          streamed: call % 2 === 0,
          status: 200,
          startedAt,
          firstByteMs: 24,
          durationMs: 26,
          attempts,
        },
      });
    });
    if (running.length > RUNNING) running.shift()?.();
  }
  for (const end of running) end();
  return events;
};
