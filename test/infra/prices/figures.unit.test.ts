import { expect } from 'chai';
import fc from 'fast-check';
import { readFigures, scaleUp } from '../../../infra/prices/figures.ts';

const rowOf = (text: string) => readFigures(`[{"_meta":true,"note":"costs \\"5\\" dollars"},${text}]`).models[0];

describe('figures', () => {
  it('become integers exactly', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 10n ** 12n), fc.nat(9), (digits, decimals) => {
        const padded = digits.toString().padStart(decimals + 1, '0');
        const text = decimals === 0 ? padded : `${padded.slice(0, -decimals)}.${padded.slice(-decimals)}`;
        expect(scaleUp(text, 9)).to.equal(digits * 10n ** BigInt(9 - decimals));
      }),
    );
    expect(scaleUp('0.1', 9) + scaleUp('0.2', 9)).to.equal(scaleUp('0.3', 9));
    expect(scaleUp('2.5e-3', 9)).to.equal(2_500_000n);
    expect(scaleUp('1E2', 0)).to.equal(100n);
  });

  it('are rounded up where a nano-dollar is too coarse, never down', () => {
    expect(scaleUp('0.00028333333', 9)).to.equal(283_334n);
    expect(scaleUp('0.0000000001', 9)).to.equal(1n);
    expect(scaleUp('0.000', 9)).to.equal(0n);
    expect(() => scaleUp('-1', 9)).to.throw();
    expect(() => scaleUp('free', 9)).to.throw();
  });

  it('give a price per million tokens by class, with its tiers', () => {
    const price = rowOf(
      '{"id":"a","provider":"p","mode":"chat","input":3,"cached_input":0.3,"cache_write":3.75,"cache_write_1h":6,"output":15,"search_per_call":0.01,"context":200000,"max_output":64000,"above":{"200k":{"input":6,"output":22.5,"cache_write":7.5}}}',
    );
    expect(price).to.deep.equal({
      model: 'a',
      kind: 'chat',
      rates: {
        input: 3_000_000_000n,
        cachedInput: 300_000_000n,
        cacheWrite5m: 3_750_000_000n,
        cacheWrite1h: 6_000_000_000n,
        output: 15_000_000_000n,
        toolUse: 10_000_000n,
      },
      tiers: [
        {
          abovePromptTokens: 200_000,
          rates: { input: 6_000_000_000n, output: 22_500_000_000n, cacheWrite5m: 7_500_000_000n, cacheWrite1h: 12_000_000_000n },
        },
      ],
      maxOutputTokens: 64_000,
      contextTokens: 200_000,
    });
  });

  it('take the first of several ranges for the base and the others for tiers', () => {
    const price = rowOf(
      '{"id":"a","provider":"p","mode":"chat","max_output":0,"tiers":[{"range":[0,256000],"input":0.05,"output":0.4},{"range":[256000,1e6],"input":0.25,"output":2}]}',
    );
    expect(price).to.deep.equal({
      model: 'a',
      kind: 'chat',
      rates: { input: 50_000_000n, output: 400_000_000n },
      tiers: [{ abovePromptTokens: 256_000, rates: { input: 250_000_000n, output: 2_000_000_000n } }],
    });
  });

  it('never price the same thing twice', () => {
    expect(rowOf('{"id":"a","provider":"p","mode":"audio_speech","input":1,"output":2,"per_second":3}')?.rates).to.deep.equal({
      input: 1_000_000_000n,
      output: 2_000_000_000n,
    });
    expect(rowOf('{"id":"a","provider":"p","mode":"image_generation","image_output_tokens":40,"per_image":1}')?.rates).to.deep.equal({
      imageOutput: 40_000_000_000n,
    });
    expect(rowOf('{"id":"a","provider":"p","mode":"audio_speech","per_1m_chars":15}')?.rates).to.deep.equal({ character: 15_000n });
  });

  it('keep models apart that share a name, and leave out what cannot be charged', () => {
    const row = (more: string) => `{"id":"a","mode":"chat",${more}}`;
    const { models, left } = readFigures(
      `[${row('"provider":"p","input":1,"output":1')},${row('"provider":"q","key":"q/a","input":2,"output":2')},{"id":"b","provider":"p","mode":"chat","input":1},{"id":"c","provider":"p","mode":"ocr","per_page":1}]`,
    );
    expect(models.map(({ model }) => model)).to.deep.equal(['a', 'q/a']);
    expect(left).to.deep.equal(['b', 'c']);
    expect(() =>
      readFigures(
        `[${row('"provider":"p","input":1,"output":1')},${row('"provider":"q","key":"x","input":1,"output":1')},${row('"provider":"r","key":"x","input":1,"output":1')}]`,
      ),
    ).to.throw('listed twice');
  });

  it('price pictures by size and quality in pieces of one rate, what nobody says more of first', () => {
    const price = rowOf(
      '{"id":"a","provider":"p","mode":"image_generation","per_image":0.02,"per_image_by":{"256x256":0.016,"512x512":0.01798,"1024x1024":0.01992,"hd/1024x1024":0.03999}}',
    );
    expect(price).to.deep.equal({
      model: 'a',
      kind: 'image',
      rates: { image: 2_000_000n },
      pictures: [
        { size: '1024x1024', pieces: 10 },
        { size: '256x256', pieces: 8 },
        { size: '512x512', pieces: 9 },
        { size: '1024x1024', quality: 'hd', pieces: 20 },
      ],
    });
    // Where tokens are charged, sizes say nothing more.
    expect(
      rowOf('{"id":"a","provider":"p","mode":"image_generation","image_output_tokens":40,"per_image_by":{"low/1x1":0.01}}'),
    ).to.not.have.property('pictures');
  });
});
