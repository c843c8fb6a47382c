import { expect } from 'chai';
import { piecesOfPicture } from '../../../domain/pricing/picture-pieces.ts';

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
        expect(4 * piecesOfPicture(model, { quality, size }), JSON.stringify({ quality, size })).to.equal(cents);
  });

  it('are one for every other model', () => {
    for (const model of ['dall-e-2', 'imagen-4.0-generate-001', 'dall-e-30', 'my-dall-e-3-copy'])
      expect(piecesOfPicture(model, { quality: 'hd', size: '1792x1024' })).to.equal(1);
  });
});
