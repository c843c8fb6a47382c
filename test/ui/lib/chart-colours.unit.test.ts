import { expect } from 'chai';
import fc from 'fast-check';
import { COLOURS, colourPlaces } from '../../../ui/src/lib/chart-colours.ts';

describe('colours of a chart', () => {
  it('are one for each name, never shared', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string(), { maxLength: COLOURS }), (names) => {
        const places = colourPlaces(names);
        expect(places.size).to.equal(names.length);
        expect(new Set(places.values()).size).to.equal(names.length);
        for (const place of places.values()) expect(place).to.be.within(0, COLOURS - 1);
      }),
    );
  });

  it('do not depend on rank', () => {
    const names = ['gpt-5.2', 'claude-opus-4-6', 'gemini-3-pro'];
    expect([...colourPlaces(names)].sort()).to.deep.equal([...colourPlaces([...names].reverse())].sort());
  });
});
