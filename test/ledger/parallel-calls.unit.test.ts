import { expect } from 'chai';
import fc from 'fast-check';
import type { TokenId } from '../../schemas/ids.ts';
import { comeToRest, inWorld } from './simulation/in-world.ts';
import { PROPERTY_TIMEOUT, checkAsync } from './seed.ts';

/** A shuffled deck of small numbers: which process, which key, which answer of the log comes next. */
const order = (length: number): fc.Arbitrary<number[]> => fc.array(fc.nat(1_000), { minLength: length, maxLength: length });

describe('calls in parallel on money for so many', () => {
  const spread = fc.record({
    processes: fc.integer({ min: 1, max: 4 }),
    keys: fc.integer({ min: 1, max: 8 }),
    queued: fc.boolean(),
  });

  it('4. are never more than that, and exactly that when all cost the same', function () {
    this.timeout(PROPERTY_TIMEOUT);
    return checkAsync(
      fc.asyncProperty(
        spread,
        fc.integer({ min: 0, max: 12 }),
        fc.integer({ min: 1, max: 40 }),
        fc.nat(90),
        order(60),
        (options, affordable, price, change, picks) =>
          inWorld({ ...options, credit: BigInt(affordable * price + (change % price)) }, async (world, timers) => {
            const calls = picks.slice(0, 40).map((pick, index) => {
              const process = world.living[pick % world.living.length]!;
              return world.reserve(process, world.tokenIds[(pick + index) % options.keys] as TokenId, BigInt(price), BigInt(price));
            });
            for (const pick of picks) {
              for (const process of world.living) if (pick % 3 !== 0) world.deliverNews(process);
              await world.serve(pick, 'served');
            }
            await world.calm();
            // Whoever waits for leases of others to come back waits by the clock.
            for (let waited = 0; waited < 5; waited++) {
              timers.tick(50);
              world.now += 50;
              await world.calm();
            }
            const held = calls.filter(({ answer }) => answer === 'held');
            expect(calls.filter(({ answer }) => answer !== 'held').every(({ answer }) => answer === 'insufficient_quota')).to.equal(true);
            expect(held).to.have.length(Math.min(affordable, calls.length));
            for (const call of held) world.charge(call, BigInt(price));
            await comeToRest(world, timers);
            expect(world.audit.charges.size).to.equal(held.length);
            expect(world.audit.balanceOf(`wallet:${world.userId}`)).to.equal(BigInt(change % price));
          }),
      ),
      120,
    );
  });

  it('4. 1 000 of them on money for 10: 10, in one process, in four, and through eight keys', async function () {
    this.timeout(PROPERTY_TIMEOUT);
    for (const [processes, keys] of [
      [1, 1],
      [4, 1],
      [1, 8],
      [4, 8],
    ] as const) {
      await inWorld({ processes, keys, credit: 10_000n, queued: true }, async (world, timers) => {
        const calls = Array.from({ length: 1_000 }, (_, index) =>
          world.reserve(world.living[index % processes]!, world.tokenIds[(index >> 2) % keys] as TokenId, 1_000n, 1_000n),
        );
        for (let waited = 0; waited < 20; waited++) {
          await world.calm();
          timers.tick(50);
          world.now += 50;
        }
        expect(calls.filter(({ answer }) => answer === 'waiting')).to.have.length(0);
        expect(calls.filter(({ durable }) => durable === 'durable')).to.have.length(10);
      });
    }
  });

  it('4. of every size: what is held at once never comes to more than the credit', function () {
    this.timeout(PROPERTY_TIMEOUT);
    return checkAsync(
      fc.asyncProperty(
        spread,
        fc.bigInt(0n, 2_000n),
        fc.array(fc.tuple(fc.nat(300), fc.nat(300), fc.nat(100)), { maxLength: 60 }),
        (options, credit, requests) =>
          inWorld({ ...options, credit }, async (world, timers) => {
            const calls = requests.map(([amount, least, pick]) =>
              world.reserve(
                world.living[pick % world.living.length]!,
                world.tokenIds[pick % options.keys] as TokenId,
                BigInt(Math.max(amount, least)),
                BigInt(Math.min(amount, least)),
              ),
            );
            for (let waited = 0; waited < 5; waited++) {
              await world.calm();
              timers.tick(50);
              world.now += 50;
            }
            const held = calls.reduce((sum, { hold }) => sum + (hold?.amount ?? 0n), 0n);
            expect(held <= credit).to.equal(true);
            await comeToRest(world, timers);
          }),
      ),
      120,
    );
  });
});
