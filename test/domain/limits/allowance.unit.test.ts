import { expect } from 'chai';
import fc from 'fast-check';
import { asOf, look, untouched, use, windowAt, type Allowance, type Counter } from '../../../domain/limits/allowance.ts';
import { check, PROPERTY_TIMEOUT } from '../../ledger/seed.ts';

const anyAllowance: fc.Arbitrary<Allowance> = fc
  .record({
    algorithm: fc.constantFrom('slidingWindow' as const, 'tokenBucket' as const, 'leakyBucket' as const),
    amount: fc.integer({ min: 1, max: 1_000 }),
    window: fc.constantFrom('second' as const, 'minute' as const, 'hour' as const, 'day' as const, 'month' as const),
    share: fc.double({ min: 0.1, max: 2, noNaN: true }),
  })
  .map(({ share, ...allowance }) => ({ ...allowance, burst: Math.max(1, Math.round(allowance.amount * share)) }));

const BEGIN = Date.UTC(2026, 0, 15, 12);

/** Asks at these moments for so many units each; what was let in, and when. */
const run = (allowance: Allowance, asked: readonly { readonly after: number; readonly units: number }[]) => {
  let now = BEGIN;
  let counter: Counter = untouched(allowance, now);
  const admitted: { readonly at: number; readonly units: number }[] = [];
  for (const { after, units } of asked) {
    now += after;
    counter = asOf(counter, allowance, now);
    if (!look(counter, allowance, units, now).admitted) continue;
    counter = use(counter, allowance, units);
    admitted.push({ at: now, units });
  }
  return { counter, now, admitted };
};

const someAsked = (allowance: Allowance): fc.Arbitrary<readonly { readonly after: number; readonly units: number }[]> =>
  fc.array(
    fc.record({
      after: fc.integer({ min: 0, max: Math.ceil(windowAt(allowance.window, BEGIN).length / 3) }),
      units: fc.integer({ min: 1, max: Math.max(1, Math.ceil(allowance.amount / 3)) }),
    }),
    { maxLength: 40 },
  );

const withAsked = anyAllowance.chain((allowance) => fc.record({ allowance: fc.constant(allowance), asked: someAsked(allowance) }));

describe('an allowance', function () {
  this.timeout(PROPERTY_TIMEOUT);

  it('never lets more through in any time than it says: a window no more than its amount, a bucket no more than its burst and what refills', () =>
    check(
      fc.property(withAsked, ({ allowance, asked }) => {
        const { admitted } = run(allowance, asked);
        const { length } = windowAt(allowance.window, BEGIN);
        for (const { at } of admitted) {
          // By the calendar's window for a sliding one, whose view of the window before it is an estimate.
          const isSliding = allowance.algorithm === 'slidingWindow';
          const start = isSliding ? windowAt(allowance.window, at).start : at;
          for (const end of admitted.filter((other) => other.at >= at).map((other) => other.at)) {
            if (isSliding && windowAt(allowance.window, end).start !== start) break;
            const sum = admitted.filter((other) => other.at >= start && other.at <= end).reduce((all, { units }) => all + units, 0);
            const most = isSliding
              ? allowance.amount
              : allowance.burst + ((end - start) * allowance.amount) / Math.min(length, 28 * 86_400_000);
            expect(sum).to.be.at.most(most + 0.01);
          }
        }
      }),
      300,
    ));

  it('says how long to wait: then it lets it through, and a moment sooner it does not', () =>
    check(
      fc.property(withAsked, fc.integer({ min: 1, max: 400 }), ({ allowance, asked }, units) => {
        const { counter, now } = run(allowance, asked);
        const seen = look(counter, allowance, units, now);
        if (seen.admitted) {
          expect(seen.waitMs).to.equal(0);
          return;
        }
        if (!Number.isFinite(seen.waitMs)) {
          expect(units).to.be.above(Math.min(allowance.amount, allowance.burst));
          return;
        }
        const at = (moment: number) => look(asOf(counter, allowance, moment), allowance, units, moment).admitted;
        // Months differ in length, so a month's estimate is only about right.
        if (allowance.window === 'month') return;
        expect(at(now + seen.waitMs + 1), 'after the wait').to.equal(true);
        // What is whole but for its last bits passes for whole: a bucket of a day fills by less than a millionth in a millisecond.
        const sooner = Math.ceil(seen.waitMs * 0.01) + 2 + (1e-6 * windowAt(allowance.window, now).length) / allowance.amount;
        if (seen.waitMs > sooner) expect(at(now + seen.waitMs - sooner), 'before its end').to.equal(false);
      }),
      500,
    ));

  it('is whole again after the time it says', () =>
    check(
      fc.property(withAsked, ({ allowance, asked }) => {
        const { counter, now } = run(allowance, asked);
        if (allowance.window === 'month') return;
        const whole = allowance.algorithm === 'slidingWindow' ? allowance.amount : allowance.burst;
        const { resetMs } = look(counter, allowance, 0, now);
        const later = now + resetMs + 1;
        expect(look(asOf(counter, allowance, later), allowance, 0, later).left).to.equal(whole);
      }),
      300,
    ));

  it('has what was given back', () =>
    check(
      fc.property(withAsked, fc.integer({ min: 0, max: 50 }), ({ allowance, asked }, units) => {
        const { counter, now } = run(allowance, asked);
        const before = look(counter, allowance, 0, now).left;
        expect(look(use(use(counter, allowance, units), allowance, -units), allowance, 0, now).left).to.be.closeTo(before, 1e-6);
      }),
      200,
    ));

  it('never has more than all of it, and gives nothing to a clock that goes back', () => {
    const allowance: Allowance = { algorithm: 'tokenBucket', amount: 10, window: 'second', burst: 10 };
    const full = use(untouched(allowance, BEGIN), allowance, -100);
    expect(look(full, allowance, 0, BEGIN).left).to.equal(10);
    const used = use(untouched(allowance, BEGIN), allowance, 10);
    expect(asOf(used, allowance, BEGIN - 60_000)).to.equal(used);
  });

  it('by the month begins with the calendar’s', () => {
    const allowance: Allowance = { algorithm: 'slidingWindow', amount: 100, window: 'month', burst: 100 };
    const lastOfJanuary = Date.UTC(2026, 0, 31, 23, 59);
    const used = use(asOf(untouched(allowance, BEGIN), allowance, lastOfJanuary), allowance, 100);
    const firstOfFebruary = Date.UTC(2026, 1, 1);
    const counter = asOf(used, allowance, firstOfFebruary);
    expect(counter).to.deep.equal({ level: 0, before: 100, at: firstOfFebruary });
    // Half of February away half of January still counts.
    const middle = firstOfFebruary + 14 * 86_400_000;
    expect(look(asOf(counter, allowance, middle), allowance, 0, middle).left).to.equal(50);
    const march = Date.UTC(2026, 2, 1);
    expect(look(asOf(counter, allowance, march), allowance, 0, march).left).to.equal(100);
  });

  it('of a leaky bucket lets calls through one after another', () => {
    const allowance: Allowance = { algorithm: 'leakyBucket', amount: 60, window: 'minute', burst: 1 };
    const { admitted } = run(
      allowance,
      Array.from({ length: 50 }, () => ({ after: 100, units: 1 })),
    );
    expect(admitted.map(({ at }) => at - BEGIN)).to.deep.equal([100, 1_100, 2_100, 3_100, 4_100]);
  });
});
