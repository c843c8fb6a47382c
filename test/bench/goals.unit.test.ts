import { expect } from 'chai';
import { goals } from './goals.ts';
import type { Measurement } from './load-job.ts';
import { Results } from './results.ts';

const measurement = (part: Partial<Measurement>): Measurement => ({
  callsPerSecond: 1000,
  cpuSecondsPer1000: 0.1,
  databaseCpuSecondsPer1000: 0,
  call: { p50Ms: 1, p99Ms: 2 },
  firstToken: undefined,
  transit: undefined,
  chargeDurable: undefined,
  failures: {},
  foreignCores: 0,
  ...part,
});

const firstToken = (p50Ms: number): Partial<Measurement> => ({ firstToken: { p50Ms, p99Ms: p50Ms } });

describe('the goals of the benchmark', () => {
  it('judges none that was not measured', () => {
    expect(goals(new Results()).map(({ met }) => met)).to.deep.equal(Array(6).fill(undefined));
  });

  it('compares figures of the same round, and takes the median of that', () => {
    const results = new Results();
    // The machine slows down threefold in the second round: for both alike.
    for (const [ours, portkey] of [
      [6_600, 1_000],
      [2_100, 330],
      [6_300, 1_000],
    ] as const) {
      results.add('chat-1k-c64', 'oblivious-postgres', measurement({ callsPerSecond: ours }));
      results.add('chat-1k-c64', 'portkey', measurement({ callsPerSecond: portkey }));
    }
    const [calls] = goals(results);
    expect(calls?.reached).to.be.closeTo(6.36, 0.01);
    expect(calls?.met).to.equal(true);
  });

  it('takes the time to the first token less what the upstream itself takes', () => {
    const results = new Results();
    results.add('stream-100x10ms-c64', 'direct', measurement(firstToken(1)));
    results.add('stream-100x10ms-c64', 'oblivious-postgres', measurement({ cpuSecondsPer1000: 6, ...firstToken(5) }));
    results.add('stream-100x10ms-c64', 'portkey', measurement({ cpuSecondsPer1000: 10, ...firstToken(17) }));
    const [, , chunks, first] = goals(results);
    expect(first?.reached).to.equal(0.25);
    expect(first?.met).to.equal(false);
    expect(chunks?.met).to.equal(false);
  });
});
