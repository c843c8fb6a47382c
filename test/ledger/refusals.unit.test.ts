import { expect } from 'chai';
import fc from 'fast-check';
import { accountOf, type AccountCommand } from '../../domain/ledger/account.ts';
import { isRefusal } from '../../schemas/errors.ts';
import type { AccountEvent } from '../../schemas/events/catalogue.ts';
import { LeaseId, TokenId, UserId } from '../../schemas/ids.ts';
import type { Money } from '../../schemas/money.ts';
import { fold } from '../../domain/kernel/decider.ts';
import { inWorld } from './simulation/in-world.ts';
import { START_TIME } from './simulation/world.ts';
import { PROPERTY_TIMEOUT, check, checkAsync } from './seed.ts';

const userId = UserId.parse('usr_1');
const keys = [TokenId.parse('key_1'), TokenId.parse('key_2')] as const;
const account = accountOf(userId);
const amount = fc.bigInt(0n, 400n).map((value) => value as Money);

const grant = (tokenId: TokenId, least: Money, needed: Money, leaseId: LeaseId, now: number): AccountCommand => ({
  kind: 'grantSpendLease',
  leaseId,
  tokenId,
  holder: 'a',
  least,
  needed,
  ahead: needed,
  now,
  admitsForMs: 30_000,
  graceMs: 15_000,
});

describe('a refusal at any level', () => {
  it('5. leaves no trace at the others: every limit that a refused lease would have counted against still gives all that it had', () => {
    const limits = fc.record({
      wallet: amount,
      user: fc.record({ day: amount, month: amount, total: amount }),
      key: fc.record({ day: amount, month: amount, total: amount }),
    });
    check(
      fc.property(limits, amount, amount, (given, asked, more) => {
        const windows = ['day', 'month', 'total'] as const;
        const history: AccountEvent[] = [
          { type: 'AccountOpened', data: { userId, timeZone: 'UTC' } },
          { type: 'CreditGranted', data: { userId, amount: given.wallet, source: 'grant', reason: '' } },
          ...windows.map((window): AccountEvent => ({
            type: 'CapSet',
            data: { userId, scope: { kind: 'user' }, window, amount: given.user[window] },
          })),
          ...windows.map((window): AccountEvent => ({
            type: 'CapSet',
            data: { userId, scope: { kind: 'key', tokenId: keys[0] }, window, amount: given.key[window] },
          })),
        ];
        const state = fold(account, history);
        const least = (a: Money, ...rest: Money[]): Money => rest.reduce((x, y) => (y < x ? y : x), a);
        const leftForUser = least(given.wallet, given.user.day, given.user.month, given.user.total);
        const leftForKey = least(leftForUser, given.key.day, given.key.month, given.key.total);

        const decided = account.decide(grant(keys[0], asked, asked, LeaseId.parse('lse_1'), START_TIME), state);
        const isPossible = leftForKey > 0n && asked <= leftForKey;
        expect(!isRefusal(decided)).to.equal(isPossible && asked > 0n);
        if (!isRefusal(decided)) return;
        // The other key, whom only the user's limits hold, can still have all of it.
        const other = account.decide(grant(keys[1], leftForUser, leftForUser, LeaseId.parse('lse_2'), START_TIME), state);
        expect(isRefusal(other)).to.equal(leftForUser === 0n);
        const tooMuch = account.decide(grant(keys[1], (leftForUser + 1n + more) as Money, more, LeaseId.parse('lse_3'), START_TIME), state);
        expect(isRefusal(tooMuch)).to.equal(true);
      }),
      500,
    );
  });

  it('5. writes no event, by whatever limit and however many ask at once', function () {
    this.timeout(PROPERTY_TIMEOUT);
    return checkAsync(
      fc.asyncProperty(fc.nat(300), fc.nat(300), fc.integer({ min: 1, max: 20 }), (cap, credit, count) =>
        inWorld({ processes: 2, keys: 2, credit: BigInt(credit) }, async (world, timers) => {
          world.command({
            kind: 'setCap',
            scope: { kind: 'key', tokenId: world.tokenIds[0]! },
            window: 'day',
            amount: BigInt(cap) as Money,
          });
          await world.calm();
          const before = world.log.memory.events.length;
          const tooMuch = BigInt(Math.min(cap, credit) + 1);
          const calls = Array.from({ length: count }, (_, index) =>
            world.reserve(world.living[index % 2]!, world.tokenIds[0]!, tooMuch + BigInt(index), tooMuch),
          );
          await world.calm();
          timers.tick(100);
          await world.calm();
          expect(calls.every(({ answer }) => answer === 'cap_reached' || answer === 'insufficient_quota')).to.equal(true);
          expect(world.log.memory.events).to.have.length(before);
        }),
      ),
      60,
    );
  });
});
