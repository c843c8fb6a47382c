import { expect } from 'chai';
import fc from 'fast-check';
import { piecesOfPicture } from '../../../domain/pricing/picture-pieces.ts';
import { check } from '../../ledger/seed.ts';

describe('pieces of a picture', () => {
  it('are what its size and quality cost, in standard pictures, for DALL·E 3', () => {
    // OpenAI's prices in cents: 4 and 8 for standard, 8 and 12 for hd.
    for (const [quality, size, cents] of [
      [undefined, undefined, 4],
      ['standard', '1024x1024', 4],
      ['standard', '1024x1792', 8],
      [null, '1792x1024', 8],
      ['hd', '1024x1024', 8],
      ['hd', '1024x1792', 12],
      ['hd', null, 8],
    ] as const)
      for (const model of ['dall-e-3', 'openai/dall-e-3'])
        expect(4 * piecesOfPicture(model, {}, { quality, size }), JSON.stringify({ quality, size })).to.equal(cents);
  });

  it('are one for every other model whose price says nothing of pictures', () => {
    for (const model of ['dall-e-2', 'imagen-4.0-generate-001', 'dall-e-30', 'my-dall-e-3-copy'])
      expect(piecesOfPicture(model, {}, { quality: 'hd', size: '1792x1024' })).to.equal(1);
  });

  it('are what the price says of it, whatever the model is called', () => {
    const pictures = [
      { size: '1024x1024', quality: 'medium', pieces: 4 },
      { size: '1024x1024', quality: 'low', pieces: 1 },
      { quality: 'high', pieces: 20 },
    ];
    const pieces = (asked: { size?: string; quality?: string }): number => piecesOfPicture('dall-e-3', { pictures }, asked);
    expect(pieces({})).to.equal(4);
    expect(pieces({ quality: 'low' })).to.equal(1);
    expect(pieces({ quality: 'high', size: '1x1' })).to.equal(20);
    expect(pieces({ quality: 'auto' })).to.equal(20);
    expect(pieces({ size: '2048x2048' })).to.equal(20);
  });

  it('are never more than the dearest and never none', () => {
    const word = fc.option(fc.constantFrom('a', 'b', 'c'), { nil: undefined });
    const line = fc.record({ size: word, quality: word, pieces: fc.integer({ min: 1, max: 100 }) });
    check(
      fc.property(fc.array(line, { minLength: 1, maxLength: 6 }), word, word, (lines, size, quality) => {
        const pictures = lines.map(({ pieces, ...named }) => ({ pieces, ...named })) as { pieces: number }[];
        const counted = piecesOfPicture('m', { pictures }, { size, quality });
        expect(counted).to.be.within(1, Math.max(...pictures.map(({ pieces }) => pieces)));
      }),
    );
  });
});
