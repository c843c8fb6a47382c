import { expect } from 'chai';
import fc from 'fast-check';
import { AggregatorRegistry, Counter, Histogram, Registry } from 'prom-client';
import { spread, tallied } from '../../../infra/metrics/tally.ts';

const COUNTER = { name: 'things_total', help: 'Things.', labelNames: ['kind', 'status'] };
const HISTOGRAM = { name: 'thing_seconds', help: 'How long things took.', labelNames: ['kind', 'status'], buckets: [0.1, 0.5, 2] };

/** The labels of one count may stand in any order. */
const linesOf = (text: string): readonly string[] => text.split('\n').sort();

const things = fc.array(
  fc.record({
    kind: fc.constantFrom('plain', 'with "quotes"', ''),
    status: fc.constantFrom(200, 404),
    value: fc.constantFrom(0, 0.1, 0.25, 0.5, 1, 2, 3),
  }),
);

describe('tallies', () => {
  it('show what prom-client shows of the same counts and observations, in text and for putting processes together', async () => {
    await fc.assert(
      fc.asyncProperty(things, async (all) => {
        const [theirs, ours] = [new Registry(), new Registry()];
        const counter = new Counter({ ...COUNTER, registers: [theirs] });
        const histogram = new Histogram({ ...HISTOGRAM, registers: [theirs] });
        const tally = tallied({ ...COUNTER, registers: [ours] });
        const seconds = spread({ ...HISTOGRAM, registers: [ours] });
        for (const { kind, status, value } of all) {
          counter.inc({ kind, status }, value);
          tally.of(kind).of(status).value += value;
          histogram.observe({ kind, status }, value);
          seconds.of(kind).of(status).observe(value);
        }
        expect(linesOf(await ours.metrics())).to.deep.equal(linesOf(await theirs.metrics()));
        const together = async (registry: Registry): Promise<readonly string[]> => {
          const snapshot = await registry.getMetricsAsJSON();
          return linesOf(await AggregatorRegistry.aggregate([snapshot, snapshot]).metrics());
        };
        expect(await together(ours)).to.deep.equal(await together(theirs));
      }),
    );
  });

  it('say the same when they are asked twice', async () => {
    const registry = new Registry();
    tallied({ ...COUNTER, registers: [registry] })
      .of('plain')
      .of(200).value += 2;
    spread({ ...HISTOGRAM, registers: [registry] })
      .of('plain')
      .of(200)
      .observe(1);
    const once = await registry.metrics();
    expect(once).to.include('things_total{kind="plain",status="200"} 2');
    expect(await registry.metrics()).to.equal(once);
  });
});
