import { expect } from 'chai';
import { heapGrowthPercent } from '../../infra/heap-growth.ts';

const MB = 1024 * 1024;

describe('heap growth', () => {
  it('is a fixed amount of garbage while the heap is small', () => {
    expect(heapGrowthPercent(40 * MB)).to.equal(100);
    expect(heapGrowthPercent(80 * MB)).to.equal(50);
    expect(heapGrowthPercent(160 * MB)).to.equal(25);
  });

  it('is a small share of a large one, such as thousands of silent streams make', () => {
    for (const used of [270, 300, 1_000]) expect(heapGrowthPercent(used * MB), `${used} MB`).to.equal(15);
  });
});
