import { expect } from 'chai';
import { limitPolicy } from '../../../domain/limits/limit-policy.ts';
import { allowanceOf } from '../../../domain/limits/limit-units.ts';
import type { LimitPolicy } from '../../../schemas/limits.ts';
import { LimitRule } from '../../../schemas/limits.ts';
import { given } from '../../support/decider-spec.ts';

const rule = (more: object = {}): LimitRule =>
  LimitRule.parse({ id: 'one', name: 'One', per: ['user'], measure: 'requests', amount: 10, window: 'minute', ...more });
const policy = (...rules: LimitRule[]): LimitPolicy => ({ rules, whenStoreAway: 'perProcess' });

describe('the limits that operators set', () => {
  it('are set together, and only when they change', () => {
    const set = policy(rule(), rule({ id: 'two', measure: 'money', amount: '5000000000', window: 'day' }));
    const event = { type: 'LimitsSet', data: { policy: set } } as const;
    given(limitPolicy).when({ kind: 'set', policy: set }).then(event);
    given(limitPolicy, event).when({ kind: 'set', policy: set }).changesNothing();
    given(limitPolicy, event)
      .when({ kind: 'set', policy: policy() })
      .then({ type: 'LimitsSet', data: { policy: policy() } });
    given(limitPolicy).when({ kind: 'set', policy: policy() }).changesNothing();
  });

  it('have rules with names of their own, and that mean something', () => {
    const refused = (...rules: LimitRule[]): void =>
      given(limitPolicy)
        .when({ kind: 'set', policy: policy(...rules) })
        .refuses('invalid_request');
    refused(rule(), rule());
    refused(rule({ per: ['user', 'user'] }));
    refused(rule({ scope: { addresses: ['192.0.2.0/33'] } }));
    refused(rule({ burst: 5 }));
    refused(rule({ measure: 'money', amount: '999' }));
    refused(rule({ scope: { models: ['a*b*c*d*e*'] } }));
  });

  it('are read with what is usual where nothing is said', () => {
    expect(rule()).to.deep.include({ enabled: true, scope: {}, action: { kind: 'refuse' }, algorithm: 'slidingWindow' });
    for (const wrong of [
      { amount: 0 },
      { amount: 1.5 },
      { window: 'year' },
      { id: 'Not This' },
      { measure: 'inFlight', amount: -1 },
      { per: ['planet'] },
    ])
      expect(() => rule(wrong), JSON.stringify(wrong)).to.throw();
  });

  it('count money in micro-dollars, and let a leaky bucket’s calls through one by one', () => {
    const numbers = (more: object) => allowanceOf(rule(more) as Exclude<LimitRule, { measure: 'inFlight' }>);
    expect(numbers({ measure: 'money', amount: '2500000000' })).to.include({ amount: 2_500_000 });
    expect(numbers({ algorithm: 'leakyBucket' })).to.include({ amount: 10, burst: 1 });
    expect(numbers({ algorithm: 'tokenBucket' })).to.include({ burst: 10 });
    expect(numbers({ algorithm: 'tokenBucket', burst: 25 })).to.include({ burst: 25 });
  });
});
