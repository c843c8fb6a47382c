import { expect } from 'chai';
import { requestNames } from '../../../ui/src/lib/request-names.ts';

describe('names of requests', () => {
  it('are the same for the same words until they are granted', () => {
    const names = requestNames();
    const first = names.nameOf('usr_a', '100', 'A gift');
    expect(first).to.match(/^[0-9a-f]{32}$/);
    expect(names.nameOf('usr_a', '100', 'A gift')).to.equal(first);
    names.granted();
    expect(names.nameOf('usr_a', '100', 'A gift')).to.not.equal(first);
  });

  it('are others for other words, however they are parted', () => {
    const names = requestNames();
    const all = [
      names.nameOf('usr_a', '100'),
      names.nameOf('usr_a', '1', '00'),
      names.nameOf('usr_a1', '00'),
      names.nameOf('usr_a', '100'),
    ];
    expect(new Set(all).size).to.equal(4);
  });
});
