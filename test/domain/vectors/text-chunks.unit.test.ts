import { expect } from 'chai';
import fc from 'fast-check';
import { approximateTokens } from '../../../domain/tokens/approximate.ts';
import { chunkSpans, cutText } from '../../../domain/vectors/text-chunks.ts';
import { check } from '../../ledger/seed.ts';

const SIZES = fc
  .record({ size: fc.integer({ min: 100, max: 400 }), share: fc.double({ min: 0, max: 0.5, noNaN: true }) })
  .map(({ size, share }) => ({ size, overlap: Math.floor(size * share) }));
const TEXTS = fc.array(
  fc.oneof(
    fc.lorem({ maxCount: 40 }),
    fc.string({ unit: 'grapheme', maxLength: 200 }),
    fc.constant('灯台は海を照らす'),
    fc.nat(4_000).map((length) => ' '.repeat(length)),
  ),
  { maxLength: 60 },
);

describe('a text that is cut into chunks', () => {
  it('is in them whole, in order, none larger than it may be, each beginning within the one before', () =>
    check(
      fc.property(TEXTS, SIZES, (texts, chunking) => {
        const text = texts.join(' ');
        const spans = chunkSpans(text, chunking);
        expect(cutText(text, chunking)).to.deep.equal(spans.map(({ from, to }) => text.slice(from, to)));
        let end = 0;
        let start = 0;
        for (const { from, to } of spans) {
          const chunk = text.slice(from, to);
          expect(approximateTokens(chunk)).to.be.at.most(chunking.size);
          expect(chunk).to.equal(chunk.trim()).and.not.equal('');
          expect(from, 'in order').to.be.at.least(start);
          expect(to, 'each goes on').to.be.greaterThan(end);
          // What lies between two chunks is space.
          if (from > end) expect(text.slice(end, from).trim()).to.equal('');
          start = from;
          end = to;
        }
        expect(text.slice(end).trim()).to.equal('');
      }),
    ));

  it('repeats as much as it is told', () => {
    const text = Array.from({ length: 2_000 }, (_, at) => `w${at}`).join(' ');
    const apart = cutText(text, { size: 200, overlap: 0 });
    expect(apart.join(' ')).to.equal(text);
    const chunks = cutText(text, { size: 200, overlap: 100 });
    expect(chunks.length).to.be.greaterThan(apart.length * 1.8);
    const words = chunks.map((chunk) => chunk.split(' '));
    for (let at = 1; at < words.length - 1; at++) {
      const shared = words[at]?.indexOf(words[at - 1]?.at(-1) ?? '') ?? -1;
      expect(shared + 1).to.be.within(45, 55);
    }
  });

  it('takes time that grows with its length and not faster, whatever is in it', function () {
    this.timeout(10_000);
    for (const text of ['x'.repeat(2_000_000), ' '.repeat(2_000_000), 'ab '.repeat(700_000)]) cutText(text, { size: 800, overlap: 400 });
  });
});
