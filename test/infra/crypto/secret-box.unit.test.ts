import { expect } from 'chai';
import fc from 'fast-check';
import { masterKeyOf } from '../../../infra/crypto/master-key.ts';
import { secretBox } from '../../../infra/crypto/secret-box.ts';
import { Sealed } from '../../../schemas/sealed.ts';

const box = secretBox(masterKeyOf(Buffer.alloc(32, 3)));

describe('secret box', () => {
  it('opens what it sealed, in the same place only', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 200 }),
        fc.string({ maxLength: 20 }),
        fc.string({ maxLength: 20 }),
        (secret, context, elsewhere) => {
          const sealed = box.seal(secret, context);
          expect(box.open(sealed, context)).to.equal(Buffer.from(secret).toString());
          if (context !== elsewhere) expect(() => box.open(sealed, elsewhere)).to.throw();
        },
      ),
    );
  });

  it('never makes the same envelope twice, and none that shows its content', () => {
    const envelopes = Array.from({ length: 50 }, () => box.seal('sk-upstream-secret', 'channel-key:chk_1'));
    expect(new Set(envelopes).size).to.equal(50);
    for (const envelope of envelopes) {
      expect(envelope).not.to.include('upstream');
      expect(Buffer.from(envelope.split('.')[3] ?? '', 'base64url').includes('upstream')).to.equal(false);
    }
  });

  it('refuses an envelope in which any one bit was changed', () => {
    const sealed = box.seal('secret', 'here');
    const [version = '', keyId = '', ...parts] = sealed.split('.');
    for (const [part, text] of parts.entries()) {
      const bytes = Buffer.from(text, 'base64url');
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const changed = Buffer.from(bytes);
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const envelope = Sealed.parse(
          [version, keyId, ...parts.map((other, index) => (index === part ? changed.toString('base64url') : other))].join('.'),
        );
        expect(() => box.open(envelope, 'here'), `part ${part} bit ${bit}`).to.throw();
      }
    }
  });

  it('refuses an envelope whose tag was cut short', () => {
    const [version, keyId, wrapped = '', data = ''] = box.seal('a longer secret', 'here').split('.');
    for (const [first, second] of [
      [wrapped, data],
      [data, wrapped],
    ] as const) {
      for (const cut of [1, 4, 8, 12, 40]) {
        const short = Buffer.from(first, 'base64url').subarray(0, -cut).toString('base64url') || 'AA';
        const parts = first === wrapped ? [short, second] : [second, short];
        expect(() => box.open(Sealed.parse([version, keyId, ...parts].join('.')), 'here')).to.throw();
      }
    }
  });

  it('says which master key is missing instead of trying another', () => {
    const other = secretBox(masterKeyOf(Buffer.alloc(32, 4)));
    expect(() => other.open(box.seal('secret', 'here'), 'here')).to.throw(/sealed under master key [0-9a-f]{16}/);
  });
});
