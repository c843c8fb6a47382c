import { expect } from 'chai';
import fc from 'fast-check';
import { useFakeTimers, type SinonFakeTimers } from 'sinon';
import { advance, perform, someActions } from './simulation/actions.ts';
import { RuleBroken, World } from './simulation/world.ts';
import { checkAsync } from './seed.ts';

const DAY = 86_400_000;

/** Runs a world with its timers in the test's hands. */
const inWorld = async (
  options: Parameters<typeof World.open>[0],
  run: (world: World, timers: SinonFakeTimers) => Promise<void>,
): Promise<void> => {
  const timers = useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    await run(await World.open(options), timers);
  } finally {
    timers.restore();
  }
};

/** No more faults: every call ends, every process stops, and what the dead left behind is swept. */
const comeToRest = async (world: World, timers: SinonFakeTimers): Promise<void> => {
  for (let round = 0; ; round++) {
    await world.calm();
    const unended = world.calls.filter(
      ({ process, answer, end }) =>
        process.alive && (answer === 'waiting' || (answer === 'held' && ['open', 'charging', 'releasing'].includes(end))),
    );
    if (unended.length === 0) break;
    if (round > 50)
      throw new RuleBroken(
        `these calls never end: ${unended.map(({ requestId, answer, end }) => `${requestId} ${answer} ${end}`).join(', ')}`,
      );
    for (const [index, call] of unended.entries()) {
      if (call.answer !== 'held') continue;
      if (index % 3 === 0) world.release(call);
      else world.charge(call, (call.hold?.amount ?? 0n) / 2n);
    }
    await advance(world, timers, 250);
  }
  for (const process of world.living) world.stop(process);
  for (let round = 0; world.busy > 0; round++) {
    if (round > 50) throw new RuleBroken('some process never stops');
    await world.calm();
    await advance(world, timers, 250);
  }
  world.now += 30 * DAY;
  world.sweeperOffsetMs = 0;
  world.sweep();
  await world.calm();
  world.audit.atRest();
  await world.settle();
};

/** What was told to callers is what the log says. */
const checkAnswers = (world: World): void => {
  const { charges, released } = world.audit;
  const reserved = new Set(world.log.memory.events.filter(({ type }) => type === 'QuotaReserved').map(({ data }) => data['requestId']));
  for (const { requestId, answer, durable, end, charged } of world.calls) {
    if (answer !== 'held' && answer !== 'waiting')
      expect(reserved.has(requestId), `${requestId} was refused with ${answer} and left a hold`).to.equal(false);
    if (durable === 'log_busy') expect(reserved.has(requestId), `${requestId} was turned away and left a hold`).to.equal(false);
    if (durable !== 'durable') expect(charges.has(requestId), `${requestId} was not held (${durable}) and was charged`).to.equal(false);
    if (end === 'charged') expect(charges.get(requestId)?.amount, `${requestId} was said to be charged`).to.equal(charged);
    if (end === 'released') expect(released.has(requestId), `${requestId} was said to be released`).to.equal(true);
    if (end === 'lease_lost') expect(charges.has(requestId), `${requestId} was said not to be charged`).to.equal(false);
  }
};

describe('the ledger, whatever happens', () => {
  it('keeps its rules after every event, tells the truth, and comes to rest with every hold ended and all money accounted for', function () {
    this.timeout(120_000);
    const options = fc.record({
      processes: fc.integer({ min: 1, max: 3 }),
      keys: fc.integer({ min: 1, max: 3 }),
      credit: fc.bigInt(0n, 6_000n),
    });
    return checkAsync(
      fc.asyncProperty(options, someActions(120), (settings, actions) =>
        inWorld(settings, async (world, timers) => {
          for (const action of actions) await perform(world, timers, action);
          await comeToRest(world, timers);
          checkAnswers(world);

          // Nothing is stranded: what is left can be spent, to the last nano-dollar.
          for (const window of ['day', 'month', 'total'] as const) {
            world.command({ kind: 'setCap', scope: { kind: 'user' }, window, amount: null });
            for (const tokenId of world.tokenIds) world.command({ kind: 'setCap', scope: { kind: 'key', tokenId }, window, amount: null });
          }
          await world.calm();
          const left = world.audit.balanceOf(`wallet:${world.userId}`);
          const last = world.reserve(world.start(), world.tokenIds[0]!, left, left);
          await world.calm();
          expect(last.answer).to.equal(left > 0n ? 'held' : 'insufficient_quota');
        }),
      ),
      150,
    );
  });
});
