import { expect } from 'chai';
import { admits, CLOSED, onAttempt, onFailure, onSuccess, restingUntil, type Breaker } from '../../../domain/relay/breaker.ts';

const policy = { failures: 3, rest: 100, longestRest: 350 };
const fail = (breaker: Breaker, now: number): Breaker => onFailure(onAttempt(breaker, now), now, policy);

describe('the breaker of a channel', () => {
  it('opens after so many failures in a row', () => {
    let breaker: Breaker = CLOSED;
    breaker = fail(fail(breaker, 0), 1);
    expect(breaker.state).to.equal('closed');
    expect(onSuccess(breaker)).to.deep.equal(CLOSED);
    breaker = fail(breaker, 2);
    expect(breaker).to.deep.equal({ state: 'open', until: 102, rest: 100 });
    expect([admits(breaker, 101), admits(breaker, 102)]).to.deep.equal([false, true]);
  });

  it('forgets failures that a success came between', () => {
    const breaker = onSuccess(fail(fail(CLOSED, 0), 0));
    expect(fail(fail(breaker, 1), 1).state).to.equal('closed');
  });

  it('lets one probe through, which decides', () => {
    const open = restingUntil(100, policy);
    const probing = onAttempt(open, 100);
    expect(admits(probing, 150)).to.equal(false);
    expect(onSuccess(probing)).to.deep.equal(CLOSED);
    const again = onFailure(probing, 150, policy);
    expect(again).to.deep.equal({ state: 'open', until: 350, rest: 200 });
  });

  it('rests longer after each failed probe, up to a limit', () => {
    let breaker: Breaker = restingUntil(0, policy);
    const rests: number[] = [];
    for (let now = 0; now < 3; now++) {
      breaker = fail(breaker, now * 1_000);
      if (breaker.state === 'open') rests.push(breaker.rest);
    }
    expect(rests).to.deep.equal([200, 350, 350]);
  });

  it('does not wait for ever for a probe that never reported back', () => {
    const probing = onAttempt(restingUntil(0, policy), 0);
    expect([admits(probing, 99), admits(probing, 100)]).to.deep.equal([false, true]);
  });

  it('learns nothing new from calls that were let through before it opened', () => {
    const open = fail(fail(fail(CLOSED, 0), 0), 0);
    expect(onFailure(open, 50, policy)).to.equal(open);
  });
});
