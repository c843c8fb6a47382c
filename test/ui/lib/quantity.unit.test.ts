import { expect } from 'chai';
import { formatCompact, formatCount, formatDuration, formatRatio, formatShare } from '../../../ui/src/lib/quantity.ts';

describe('quantities in the console', () => {
  it('shortens counts only where they are long', () => {
    expect(formatCount(1_284_930, 'en')).to.equal('1,284,930');
    expect(formatCompact(9_999, 'en')).to.equal('9,999');
    expect(formatCompact(128_493, 'en')).to.equal('128.5K');
    expect(formatCompact(128_493, 'zh-CN')).to.equal('12.8万');
  });

  it('gives shares a second decimal where it tells something, and never rounds a failure away', () => {
    expect(formatShare(0.5, 'en')).to.equal('50.0%');
    expect(formatShare(0.9994, 'en')).to.equal('99.94%');
    expect(formatShare(0.999_999_9, 'en')).to.equal('99.99%');
    expect(formatShare(1, 'en')).to.equal('100%');
    expect(formatShare(0, 'en')).to.equal('0%');
  });

  it('names durations by the unit that fits', () => {
    expect(formatDuration(412, 'en')).to.equal('412 ms');
    expect(formatDuration(1_284, 'en')).to.equal('1.28 sec');
    expect(formatDuration(125_000, 'en')).to.equal('2 min 5 sec');
  });

  it('writes ratios without noise', () => {
    expect(formatRatio(1_000_000, 'en')).to.equal('1');
    expect(formatRatio(850_000, 'en')).to.equal('0.85');
    expect(formatRatio(1, 'en')).to.equal('0.000001');
  });
});
