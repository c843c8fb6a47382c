import { expect } from 'chai';
import { closeNames } from '../../../gateways/cli/close-names.ts';

const NAMES = ['QuotaDebited', 'QuotaHeld', 'CreditGranted', 'LeaseOpened', 'LeaseClosed', 'UserSuspended'];

describe('names that may have been meant', () => {
  it('are near in letters, whatever their case, nearest first', () => {
    expect(closeNames('quotadebited', NAMES)).to.deep.equal(['QuotaDebited']);
    expect(closeNames('LeaseCloesd', NAMES)).to.deep.equal(['LeaseClosed']);
    expect(closeNames('LeaseOpend', NAMES)[0]).to.equal('LeaseOpened');
  });

  it('or have what was written within them, three at most', () => {
    expect(closeNames('Quota', NAMES)).to.deep.equal(['QuotaDebited', 'QuotaHeld']);
    expect(closeNames('ed', ['aaaaed', 'bbbbed'])).to.deep.equal([]);
    expect(closeNames('Lease', ['LeaseA', 'LeaseB', 'LeaseC', 'LeaseD'])).to.have.length(3);
  });

  it('are none where none is near', () => {
    expect(closeNames('Zebra', NAMES)).to.deep.equal([]);
    expect(closeNames('', NAMES)).to.deep.equal([]);
  });
});
