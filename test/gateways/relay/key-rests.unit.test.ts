import { expect } from 'chai';
import type { DirectoryChannelKey } from '../../../gateways/ports/directory.ts';
import { KeyRests } from '../../../gateways/relay/key-rests.ts';
import type { ChannelKeyId } from '../../../schemas/ids.ts';
import type { Sealed } from '../../../schemas/sealed.ts';

describe('keys that rest', () => {
  const keyOf = (id: string): DirectoryChannelKey => ({ keyId: id as ChannelKeyId, secret: 's' as Sealed, enabled: true });
  const ONE = keyOf('one');
  const OTHER = keyOf('other');

  it('rest until their time, each by itself', () => {
    const rests = new KeyRests();
    expect(rests.isResting(ONE, 0)).to.equal(false);
    rests.rest(ONE, 100);
    expect([rests.isResting(ONE, 99), rests.isResting(OTHER, 99)]).to.deep.equal([true, false]);
    expect([rests.count(99), rests.until(ONE.keyId), rests.until(OTHER.keyId)]).to.deep.equal([1, 100, null]);
    expect([rests.isResting(ONE, 100), rests.count(100)]).to.deep.equal([false, 0]);
  });

  it('are never up sooner because they had to rest once more, and count how often that was', () => {
    const rests = new KeyRests();
    rests.rest(ONE, 100);
    rests.rest(ONE, 50);
    expect([rests.until(ONE.keyId), rests.times(ONE.keyId)]).to.deep.equal([100, 2]);
    rests.rest(ONE, 200);
    expect([rests.until(ONE.keyId), rests.times(ONE.keyId)]).to.deep.equal([200, 3]);
    expect(rests.isResting(ONE, 200), 'its time has come').to.equal(false);
    expect(rests.times(ONE.keyId), 'in a row, until it works').to.equal(3);
    rests.works(ONE.keyId);
    expect([rests.times(ONE.keyId), rests.until(ONE.keyId)]).to.deep.equal([0, null]);
  });

  it('rest no more once somebody has changed them', () => {
    const rests = new KeyRests();
    rests.rest(ONE, 100);
    expect(rests.isResting({ ...ONE }, 50)).to.equal(false);
    expect([rests.isResting(ONE, 50), rests.times(ONE.keyId)], 'and it is forgotten').to.deep.equal([false, 0]);
  });
});
