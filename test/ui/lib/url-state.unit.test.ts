import { expect } from 'chai';
import fc from 'fast-check';
import { countActive, flag, oneOf, patchFields, readFields, text } from '../../../ui/src/lib/url-state.ts';

const SHAPE = { q: text(), status: oneOf(['active', 'revoked', 'all'], 'active'), live: flag() };

describe('filters in the URL', () => {
  it('are their defaults when the URL says nothing', () => {
    expect(readFields(SHAPE, {})).to.deep.equal({ q: '', status: 'active', live: false });
  });

  it('fall back to the default for what means nothing', () => {
    expect(readFields(SHAPE, { status: 'nonsense', q: ['first', 'second'], live: null })).to.deep.equal({
      q: 'first',
      status: 'active',
      live: true,
    });
  });

  it('change only what was set, and take defaults out', () => {
    expect(patchFields(SHAPE, { q: '', status: 'active' })).to.deep.equal({ q: undefined, status: undefined });
    expect(patchFields(SHAPE, { q: ' web ', status: 'all', live: true })).to.deep.equal({ q: 'web', status: 'all', live: '1' });
    expect(patchFields(SHAPE, {})).to.deep.equal({});
  });

  it('read back as what was written', () => {
    const values = fc.record({
      q: fc.string({ maxLength: 50 }).map((value) => value.trim()),
      status: fc.constantFrom('active' as const, 'revoked' as const, 'all' as const),
      live: fc.boolean(),
    });
    fc.assert(
      fc.property(values, (given) => {
        const written = Object.entries(patchFields(SHAPE, given)).filter((entry): entry is [string, string] => entry[1] !== undefined);
        const search = new URLSearchParams(written);
        expect(readFields(SHAPE, Object.fromEntries(search))).to.deep.equal(given);
      }),
    );
  });

  it('counts those that differ from their defaults', () => {
    expect(countActive(SHAPE, { q: '', status: 'active', live: false })).to.equal(0);
    expect(countActive(SHAPE, { q: 'x', status: 'all', live: true })).to.equal(3);
  });
});
