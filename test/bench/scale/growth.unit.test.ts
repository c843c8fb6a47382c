import { expect } from 'chai';
import fc from 'fast-check';
import { exponentOf, growsAsItShould, type Point } from './growth.ts';

const SIZES = [125_000, 250_000, 500_000, 1_000_000];
const FEW = [1, 2, 4];

const costs = (sizes: readonly number[], cost: (n: number) => number): Point[] => sizes.map((n) => ({ n, cost: cost(n) }));

describe('the growth that the scale benchmark fits', () => {
  it('finds the exponent of a power, whatever its factor', () => {
    fc.assert(
      fc.property(fc.double({ min: -2, max: 3, noNaN: true }), fc.double({ min: 1e-6, max: 1e6, noNaN: true }), (exponent, factor) => {
        const points = costs(SIZES, (n) => factor * n ** exponent);
        expect(exponentOf(points)).to.be.closeTo(exponent, 1e-6);
      }),
    );
  });

  it('lets pass what is linear or n log n where it may be linear, and fails n to the 1.5', () => {
    expect(
      growsAsItShould(
        costs(SIZES, (n) => 3 * n),
        'linear',
      ),
    ).to.equal(true);
    expect(
      growsAsItShould(
        costs(SIZES, (n) => n * Math.log2(n)),
        'linear',
      ),
    ).to.equal(true);
    expect(
      growsAsItShould(
        costs(SIZES, (n) => n ** 1.5),
        'linear',
      ),
    ).to.equal(false);
  });

  it('lets pass what is flat or logarithmic where it should be flat, and fails what is linear', () => {
    for (const sizes of [SIZES, FEW]) {
      expect(
        growsAsItShould(
          costs(sizes, () => 7),
          'flat',
        ),
      ).to.equal(true);
      expect(
        growsAsItShould(
          costs(sizes, (n) => Math.log2(n + 1)),
          'flat',
        ),
      ).to.equal(true);
      expect(
        growsAsItShould(
          costs(sizes, (n) => n),
          'flat',
        ),
      ).to.equal(false);
    }
  });
});
