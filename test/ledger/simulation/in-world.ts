import { expect } from 'chai';
import { useFakeTimers, type SinonFakeTimers } from 'sinon';
import { advance } from './actions.ts';
import { RuleBroken, World, type WorldOptions } from './world.ts';

const DAY = 86_400_000;

/** Runs a world with its timers in the test's hands. */
export const inWorld = async (options: WorldOptions, run: (world: World, timers: SinonFakeTimers) => Promise<void>): Promise<void> => {
  const timers = useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    await run(await World.open(options), timers);
  } finally {
    timers.restore();
  }
};

/** Work may pause between two things that it asks of the log, so that nothing is asked does not mean that all is done. */
const untilIdle = async (world: World, timers: SinonFakeTimers, otherwise: string): Promise<void> => {
  for (let round = 0; world.busy > 0; round++) {
    if (round > 50) throw new RuleBroken(otherwise);
    await world.calm();
    await advance(world, timers, 250);
  }
};

/** No more faults: every call ends, every process stops, and what the dead left behind is swept. */
export const comeToRest = async (world: World, timers: SinonFakeTimers): Promise<void> => {
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
  await untilIdle(world, timers, 'some process never stops');
  world.now += 30 * DAY;
  world.sweeperOffsetMs = 0;
  world.sweep();
  await untilIdle(world, timers, 'the sweep never ends');
  world.audit.atRest();
  await world.settle();
};

/** What was told to callers is what the log says. */
export const checkAnswers = (world: World): void => {
  const { charges, released } = world.audit;
  const reserved = new Set(world.log.memory.events.filter(({ type }) => type === 'QuotaReserved').map(({ data }) => data['requestId']));
  for (const { requestId, answer, durable, end, charged } of world.calls) {
    if (answer !== 'held' && answer !== 'waiting')
      expect(reserved.has(requestId), `${requestId} was refused with ${answer} and left a hold`).to.equal(false);
    if (durable === 'log_busy') expect(reserved.has(requestId), `${requestId} was turned away and left a hold`).to.equal(false);
    // A charge follows its hold into the log before either is answered for: of what no answer came, or none that says, both may be there, as of any append.
    if (!['durable', 'waiting', 'log_unavailable'].includes(durable))
      expect(charges.has(requestId), `${requestId} was not held (${durable}) and was charged`).to.equal(false);
    if (charges.has(requestId)) expect(reserved.has(requestId), `${requestId} was charged and never held`).to.equal(true);
    if (end === 'charged') expect(charges.get(requestId)?.amount, `${requestId} was said to be charged`).to.equal(charged);
    if (end === 'released') expect(released.has(requestId), `${requestId} was said to be released`).to.equal(true);
    if (end === 'lease_lost') expect(charges.has(requestId), `${requestId} was said not to be charged`).to.equal(false);
  }
};
