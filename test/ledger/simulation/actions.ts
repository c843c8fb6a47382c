import fc from 'fast-check';
import type { SinonFakeTimers } from 'sinon';
import type { Money } from '../../../schemas/money.ts';
import { FATES, type Fate } from './scheduled-log.ts';
import type { SimulatedCall, World } from './world.ts';

/** One thing that happens. Numbers that pick something count around, so that every number picks. */
export type Action =
  | { readonly kind: 'reserve'; readonly process: number; readonly key: number; readonly amount: number; readonly leastPercent: number }
  | { readonly kind: 'charge'; readonly call: number; readonly percent: number }
  | { readonly kind: 'chargeAbsurdly'; readonly call: number; readonly computed: bigint }
  | { readonly kind: 'release'; readonly call: number }
  | { readonly kind: 'serve'; readonly index: number; readonly fate: Fate }
  | { readonly kind: 'serveInOrder'; readonly count: number }
  | { readonly kind: 'news'; readonly process: number }
  | { readonly kind: 'advance'; readonly ms: number }
  | { readonly kind: 'jump'; readonly process: number; readonly ms: number }
  | { readonly kind: 'kill'; readonly process: number }
  | { readonly kind: 'stop'; readonly process: number }
  | { readonly kind: 'sweep'; readonly clockMs: number }
  | { readonly kind: 'credit'; readonly amount: number }
  | { readonly kind: 'adjust'; readonly amount: number }
  | { readonly kind: 'expire'; readonly amount: number }
  | { readonly kind: 'cap'; readonly key: number | null; readonly window: 'day' | 'month' | 'total'; readonly amount: number | null }
  | { readonly kind: 'refund'; readonly charge: number; readonly percent: number };

const index = fc.nat(1_000);
const HOUR = 3_600_000;

const actions: readonly fc.WeightedArbitrary<Action>[] = [
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('reserve'),
      process: index,
      key: index,
      amount: fc.nat(150),
      leastPercent: fc.integer({ min: 0, max: 100 }),
    }),
  },
  { weight: 7, arbitrary: fc.record({ kind: fc.constant('charge'), call: index, percent: fc.integer({ min: 0, max: 130 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('chargeAbsurdly'),
      call: index,
      computed: fc.constantFrom(-1n, 2n ** 63n - 1n, 2n ** 63n, 10n ** 30n),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('release'), call: index }) },
  {
    weight: 10,
    arbitrary: fc.record({ kind: fc.constant('serve'), index, fate: fc.constantFrom(...FATES, 'served' as const, 'served' as const) }),
  },
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('serveInOrder'), count: fc.integer({ min: 1, max: 12 }) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('news'), process: index }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('advance'),
      ms: fc.oneof(fc.integer({ min: 1, max: 900 }), fc.integer({ min: 1, max: 6_000 })),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('jump'), process: index, ms: fc.integer({ min: -60 * HOUR, max: 60 * HOUR }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('kill'), process: index }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('stop'), process: index }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('sweep'), clockMs: fc.constantFrom(0, 0, 4_000, 100 * HOUR) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('credit'), amount: fc.integer({ min: 1, max: 500 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('adjust'), amount: fc.integer({ min: -400, max: 100 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('expire'), amount: fc.integer({ min: 1, max: 300 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('cap' as const),
      key: fc.option(index, { nil: null }),
      window: fc.constantFrom('day' as const, 'month' as const, 'total' as const),
      amount: fc.option(fc.nat(1_500), { nil: null }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('refund'), charge: index, percent: fc.integer({ min: 0, max: 130 }) }) },
];

/** Whatever can happen, in any order. */
export const someActions = (maxLength: number): fc.Arbitrary<Action[]> => fc.array(fc.oneof(...actions), { maxLength, size: 'max' });

const pick = <Item>(items: readonly Item[], index: number): Item | undefined => items[index % Math.max(1, items.length)];

const openCalls = (world: World): readonly SimulatedCall[] =>
  world.calls.filter(({ answer, end, process }) => answer === 'held' && end === 'open' && process.alive);

/** Lets time pass, with the look around once a second that every process takes. */
export const advance = async (world: World, timers: SinonFakeTimers, ms: number): Promise<void> => {
  for (let left = ms; left > 0; left -= 1_000) {
    const step = Math.min(left, 1_000);
    world.now += step;
    timers.tick(step);
    await world.settle();
    for (const process of world.processes) if (process.alive && !process.stopped) process.keeper.tick();
    await world.settle();
  }
};

export const perform = async (world: World, timers: SinonFakeTimers, action: Action): Promise<void> => {
  switch (action.kind) {
    case 'reserve': {
      const process = pick(world.living, action.process);
      const tokenId = pick(world.tokenIds, action.key);
      if (process === undefined || tokenId === undefined) break;
      world.reserve(process, tokenId, BigInt(action.amount), BigInt(Math.floor((action.amount * action.leastPercent) / 100)));
      break;
    }
    case 'charge': {
      const call = pick(openCalls(world), action.call);
      if (call?.hold) world.charge(call, (call.hold.amount * BigInt(action.percent)) / 100n, BigInt(action.percent));
      break;
    }
    case 'chargeAbsurdly': {
      const call = pick(openCalls(world), action.call);
      if (call !== undefined) world.charge(call, action.computed, action.computed);
      break;
    }
    case 'release': {
      const call = pick(openCalls(world), action.call);
      if (call !== undefined) world.release(call);
      break;
    }
    case 'serve':
      await world.serve(action.index, action.fate);
      break;
    case 'serveInOrder':
      for (let count = 0; count < action.count; count++) await world.serve(0, 'served');
      break;
    case 'news': {
      const process = pick(world.living, action.process);
      if (process !== undefined) world.deliverNews(process);
      break;
    }
    case 'advance':
      await advance(world, timers, action.ms);
      break;
    case 'jump': {
      const process = pick(world.living, action.process);
      if (process !== undefined) process.offsetMs += action.ms;
      break;
    }
    case 'kill': {
      const process = pick(world.living, action.process);
      if (process === undefined) break;
      world.kill(process);
      world.start();
      break;
    }
    case 'stop': {
      const process = pick(world.living, action.process);
      if (process === undefined) break;
      world.stop(process);
      world.start();
      break;
    }
    case 'sweep':
      world.sweeperOffsetMs = action.clockMs;
      world.sweep();
      break;
    case 'credit':
      world.command({ kind: 'grantCredit', amount: BigInt(action.amount) as Money, source: 'card', reason: 'test' });
      break;
    case 'adjust':
      world.command({ kind: 'adjustCredit', amount: BigInt(action.amount) as Money, reason: 'test' });
      break;
    case 'expire':
      world.command({ kind: 'expireCredit', amount: BigInt(action.amount) as Money, source: 'card' });
      break;
    case 'cap': {
      const tokenId = action.key === null ? undefined : pick(world.tokenIds, action.key);
      const amount = action.amount === null ? null : (BigInt(action.amount) as Money);
      world.command({
        kind: 'setCap',
        scope: tokenId === undefined ? { kind: 'user' } : { kind: 'key', tokenId },
        window: action.window,
        amount,
      });
      break;
    }
    case 'refund': {
      const charge = pick([...world.audit.charges.values()], action.charge);
      if (charge !== undefined) world.refund(charge.leaseId, charge.requestId, (charge.amount * BigInt(action.percent)) / 100n);
      break;
    }
  }
  await world.settle();
};
