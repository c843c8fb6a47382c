import { expect } from 'chai';
import fc from 'fast-check';
import { GatheredBody } from '../../../../gateways/relay/bodies/gathered-body.ts';

const gathered = (pieces: readonly Buffer[]): GatheredBody => {
  const body = new GatheredBody();
  for (const piece of pieces) body.push(piece);
  return body;
};

describe('a body that comes in pieces', () => {
  it('is what came, in order, however it was cut and whenever it was looked at', () => {
    const length = fc.oneof(fc.nat(40), fc.nat(9_000), fc.nat(70_000));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(length, fc.nat(255), fc.boolean()), { maxLength: 40 }),
        fc.integer({ min: 1, max: 80_000 }),
        (cuts, wanted) => {
          const pieces = cuts.map(([bytes, value]) => Buffer.alloc(bytes, value));
          const body = new GatheredBody();
          for (const [index, piece] of pieces.entries()) {
            body.push(piece);
            if (cuts[index]?.[2] === true) expect(body.pieces().length).to.be.at.least(0);
          }
          const whole = Buffer.concat(pieces);
          expect(body.bytes).to.equal(whole.length);
          expect(body.last(wanted).equals(whole.subarray(-wanted))).to.equal(true);
          expect(body.whole().equals(whole)).to.equal(true);
        },
      ),
    );
  });

  it('takes about its own size when it comes byte by byte, each byte within all that was read with it', () => {
    const bytes = 300_000;
    const pieces: Buffer[] = [];
    for (let at = 0; at < bytes; at++) {
      const read = at % 1_000 === 0 ? Buffer.alloc(6_000, 'x') : (pieces[at - 1] as Buffer);
      pieces.push(Buffer.from(read.buffer, read.byteOffset, 1));
    }
    const held = gathered(pieces).pieces();
    expect(held.length).to.be.below(20);
    const kept = new Set(held.map(({ buffer }) => buffer));
    expect([...kept].reduce((sum, { byteLength }) => sum + byteLength, 0)).to.be.within(bytes, bytes + 64 * 1024);
  });
});
