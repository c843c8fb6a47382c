import { expect } from 'chai';
import { endingOfUpstream, sayable } from '../../../../gateways/relay/realtime/ending.ts';
import { refuse } from '../../../../schemas/errors.ts';

describe('the end of a session', () => {
  const BROKEN = refuse('upstream_failed');

  it('is no fault where the upstream says goodbye, and one where it does not', () => {
    for (const code of [1000, 1001])
      expect(endingOfUpstream(code, 'bye', BROKEN)).to.deep.equal({ by: 'upstream', refusal: null, code, reason: 'bye' });
    for (const code of [1002, 1006, 1011, 2999])
      expect(endingOfUpstream(code, '', BROKEN)).to.deep.equal({ by: 'upstream', refusal: BROKEN, code: 1011, reason: '' });
    for (const code of [3000, 4001]) expect(endingOfUpstream(code, 'why', BROKEN)).to.include({ refusal: BROKEN, code });
  });

  it('is passed on with a code that may stand on the wire', () => {
    expect([1000, 1001, 1005, 1006, 1011, 2999, 3000, 4999, 5000].map(sayable)).to.deep.equal([
      1000, 1000, 1000, 1000, 1000, 1000, 3000, 4999, 1000,
    ]);
  });
});
