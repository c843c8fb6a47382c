import { createHmac } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { apiKeys } from '../../../infra/crypto/api-key.ts';
import { masterKeyOf } from '../../../infra/crypto/master-key.ts';

const master = masterKeyOf(Buffer.alloc(32, 7));
const keys = apiKeys(master);

describe('API keys', () => {
  it('are recognisable, all different, and recognised by their hash', () => {
    const made = Array.from({ length: 2_000 }, () => keys.make());
    expect(new Set(made.map(({ secret }) => secret)).size).to.equal(made.length);
    for (const { secret, shown, hash } of made) {
      expect(secret).to.match(/^sk-ob-[0-9A-Za-z]{49}$/);
      expect(secret.startsWith(shown)).to.equal(true);
      expect(shown).to.have.length(10);
      expect(keys.hashOf(secret)).to.equal(hash);
    }
  });

  it('use every character of their alphabet about equally', () => {
    const counts = new Map<string, number>();
    for (let index = 0; index < 2_000; index++)
      for (const character of keys.make().secret.slice(6, 49)) counts.set(character, (counts.get(character) ?? 0) + 1);
    const expected = (2_000 * 43) / 62;
    expect(counts.size).to.equal(62);
    // Five standard deviations: about one run in thirty thousand would fail by chance.
    for (const count of counts.values()) expect(Math.abs(count - expected)).to.be.lessThan(5 * Math.sqrt(expected));
  });

  it('are known to be mistyped without asking anybody, whichever character is wrong', () => {
    const { secret } = keys.make();
    const character = fc.constantFrom(...'0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_ é');
    fc.assert(
      fc.property(fc.nat(secret.length - 1), character, (at, wrong) => {
        fc.pre(secret[at] !== wrong);
        expect(keys.hashOf(secret.slice(0, at) + wrong + secret.slice(at + 1))).to.equal(null);
      }),
    );
    for (const text of [
      '',
      'sk-ob-',
      secret.slice(0, -1),
      `${secret}0`,
      ` ${secret}`,
      secret.replace('sk-ob-', 'sk-xx-'),
      secret.toUpperCase(),
    ])
      expect(keys.hashOf(text), text).to.equal(null);
  });

  it('are hashed with HMAC-SHA-256 under a pepper that only this installation has', () => {
    const { secret, hash } = keys.make();
    expect(hash).to.equal(createHmac('sha256', master.derive('api key pepper')).update(secret).digest('hex'));
    expect(apiKeys(masterKeyOf(Buffer.alloc(32, 8))).hashOf(secret)).not.to.equal(hash);
  });
});
