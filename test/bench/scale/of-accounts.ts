import { createAppendQueue } from '../../../commands/append-queue.ts';
import { AccountBook } from '../../../commands/ledger/account-book.ts';
import { platformContext } from '../../../commands/platform-context.ts';
import { systemClock } from '../../../infra/clock.ts';
import type { StoredEvent } from '../../../infra/event-log/stored-event.ts';
import { timeSortedIds } from '../../../infra/ids.ts';
import type { Position } from '../../../schemas/event-envelope.ts';
import { isRefusal } from '../../../schemas/errors.ts';
import { LeaseId, TokenId, UserId } from '../../../schemas/ids.ts';
import type { Money } from '../../../schemas/money.ts';
import { fill, openScaleDatabase } from './database.ts';
import { doublings, type Series } from './series.ts';

const GRANTS = 400;
const HOLD = 100_000_000n as Money;

const openedAccount = (userId: string): StoredEvent[] => {
  const occurredAt = new Date().toISOString();
  const metadata = JSON.stringify({
    correlationId: userId,
    causationId: userId,
    commandId: `open:${userId}`,
    actor: { kind: 'system', id: 'bench' },
    tenant: userId,
    occurredAt,
  });
  const event = (revision: number, type: string, data: object): StoredEvent => ({
    position: 0n as Position,
    stream: `account-${userId}`,
    revision,
    eventId: crypto.randomUUID(),
    type,
    schemaVersion: 1,
    recordedAt: occurredAt,
    data: JSON.stringify(data),
    metadata,
  });
  return [
    event(0, 'AccountOpened', { userId, timeZone: 'UTC' }),
    event(1, 'CreditGranted', { userId, amount: '1000000000000', source: 'admin', reason: 'bench', reference: null }),
  ];
};

/** Up to so many accounts: a spend lease for one of them, by a process that has not seen it before. */
export const ofAccounts = async (accounts: number): Promise<readonly Series[]> => {
  const database = await openScaleDatabase();
  try {
    const userIds: string[] = [];
    const points: Series['points'][number][] = [];
    for (const n of doublings(accounts, 4)) {
      const added = Array.from({ length: n - userIds.length }, () => timeSortedIds.next('usr'));
      await fill(database.log, added.flatMap(openedAccount));
      userIds.push(...added);
      const appender = createAppendQueue(database.log);
      const book = new AccountBook(database.log, appender);
      const [cpu, since] = [database.cpu(), performance.now()];
      for (let i = 0; i < GRANTS; i++) {
        const userId = UserId.parse(userIds[(i * 7_919 + n) % n]);
        const answer = await book.execute(
          userId,
          {
            kind: 'grantSpendLease',
            leaseId: LeaseId.parse(timeSortedIds.next('lse')),
            tokenId: TokenId.parse(timeSortedIds.next('key')),
            holder: 'bench',
            least: HOLD,
            needed: HOLD,
            ahead: 0n as Money,
            now: systemClock.now(),
            admitsForMs: 30_000,
            graceMs: 15_000,
          },
          platformContext(timeSortedIds, systemClock, 'bench'),
        );
        if (isRefusal(answer)) throw new Error(answer.message);
      }
      points.push({ n, cost: (database.cpu() - cpu) / GRANTS, perSecond: GRANTS / ((performance.now() - since) / 1_000) });
      await appender.close();
    }
    return [{ name: 'a spend lease for an account not seen before', of: 'accounts', growth: 'flat', cost: 'CPU s for one', points }];
  } finally {
    await database.close();
  }
};
