import { expect } from 'chai';
import fc from 'fast-check';
import { accountOf } from '../../domain/ledger/account.ts';
import { decodeEvent } from '../../domain/kernel/event-codec.ts';
import { fold } from '../../domain/kernel/decider.ts';
import type { AccountEvent } from '../../schemas/events/catalogue.ts';
import type { TokenId } from '../../schemas/ids.ts';
import { perform, someActions } from './simulation/actions.ts';
import { checkAnswers, comeToRest, inWorld } from './simulation/in-world.ts';
import type { World } from './simulation/world.ts';
import { PROPERTY_TIMEOUT, checkAsync } from './seed.ts';

const settings = fc.record({
  processes: fc.integer({ min: 1, max: 3 }),
  keys: fc.integer({ min: 1, max: 3 }),
  credit: fc.bigInt(0n, 6_000n),
  queued: fc.boolean(),
});

const liftAllCaps = async (world: World): Promise<void> => {
  for (const window of ['day', 'month', 'total'] as const) {
    world.command({ kind: 'setCap', scope: { kind: 'user' }, window, amount: null });
    for (const tokenId of world.tokenIds) world.command({ kind: 'setCap', scope: { kind: 'key', tokenId }, window, amount: null });
  }
  await world.calm();
};

describe('the ledger, whatever happens', () => {
  // Rules 1, 2, 3, 7, 14, 15, 17 and 18 are the auditor's, after every event. The world holds nothing but a log: rule 20.
  it('keeps its rules after every event, tells callers the truth, and comes to rest with every hold ended', function () {
    this.timeout(PROPERTY_TIMEOUT);
    return checkAsync(
      fc.asyncProperty(settings, someActions(120), (options, actions) =>
        inWorld(options, async (world, timers) => {
          for (const action of actions) await perform(world, timers, action);
          await comeToRest(world, timers);
          checkAnswers(world);
        }),
      ),
      150,
    );
  });

  it('leaves nothing stranded: once at rest, what is left can be spent to the last nano-dollar', function () {
    this.timeout(PROPERTY_TIMEOUT);
    return checkAsync(
      fc.asyncProperty(settings, someActions(60), (options, actions) =>
        inWorld(options, async (world, timers) => {
          for (const action of actions) await perform(world, timers, action);
          await comeToRest(world, timers);
          await liftAllCaps(world);
          const left = world.audit.balanceOf(`wallet:${world.userId}`);
          const last = world.reserve(world.start(), world.tokenIds[0] as TokenId, left, left);
          await world.calm();
          expect(last.answer).to.equal(left > 0n ? 'held' : 'insufficient_quota');
        }),
      ),
      60,
    );
  });

  it('folds an account to what the auditor makes of the same events', function () {
    this.timeout(PROPERTY_TIMEOUT);
    return checkAsync(
      fc.asyncProperty(settings, someActions(80), (options, actions) =>
        inWorld(options, async (world, timers) => {
          for (const action of actions) await perform(world, timers, action);
          const events = world.log.memory.events.filter(({ stream }) => stream.startsWith('account-'));
          const account = fold(
            accountOf(world.userId),
            events.map((event) => decodeEvent(event) as AccountEvent),
          );
          expect(account.wallet).to.equal(world.audit.balanceOf(`wallet:${world.userId}`));
          expect([...account.leases.keys()].sort()).to.deep.equal(
            world.audit
              .unsettled()
              .map(({ leaseId }) => leaseId)
              .sort(),
          );
          for (const [leaseId, { amount }] of account.leases) {
            const spent = [...world.audit.charges.values()]
              .filter((charge) => charge.leaseId === leaseId)
              .reduce((sum, charge) => sum + charge.amount, 0n);
            expect(amount - spent).to.equal(world.audit.balanceOf(`held:${leaseId}`));
          }
        }),
      ),
      60,
    );
  });
});
