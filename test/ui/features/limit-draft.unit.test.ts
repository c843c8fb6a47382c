import { expect } from 'chai';
import { rewrite } from '../../../ui/src/api/rewrite.ts';
import { ApiFailure } from '../../../ui/src/api/failure.ts';
import { withLimitChange } from '../../../ui/src/features/limits/limit-change.ts';
import {
  emptyLimitDraft,
  freeId,
  limitDraftOf,
  limitFieldOf,
  parseCount,
  readLimitDraft,
  type LimitDraft,
} from '../../../ui/src/features/limits/limit-draft.ts';
import { LimitPolicy } from '../../../schemas/limits.ts';
import { sampleLimits } from '../support/sample-data.ts';

const { policy } = sampleLimits();
const draft = (change: Partial<LimitDraft>): LimitDraft => ({ ...emptyLimitDraft(), name: 'Free', amount: '5', ...change });
const scope = (change: Partial<LimitDraft['scope']>): Partial<LimitDraft> => ({ scope: { ...emptyLimitDraft().scope, ...change } });
const errorsOf = (change: Partial<LimitDraft>, taken: readonly string[] = []) => readLimitDraft(draft(change), taken).errors;

describe('the form of a rule of limits', () => {
  it('gives back the rule that it was filled from, and one that the server takes', () => {
    for (const rule of policy.rules) {
      const read = readLimitDraft(limitDraftOf(rule), []);
      expect(read).to.deep.equal({ rule, errors: {} });
      expect(LimitPolicy.safeParse({ rules: [read.rule], whenStoreAway: 'refuse' }).success, rule.id).to.equal(true);
    }
  });

  it('reads counts and dollars as people write them', () => {
    expect(['20000', '20,000', '20 000', '1\u202f000'].map((text) => parseCount(text, 1e12))).to.deep.equal([
      20_000, 20_000, 20_000, 1_000,
    ]);
    for (const wrong of ['', '0', '1.5', '1,00', '-3', 'many', '1000000000001']) expect(parseCount(wrong, 1e12), wrong).to.equal(null);
    const { rule } = readLimitDraft(draft({ measure: 'money', amount: '$1,200.50', algorithm: 'tokenBucket', burst: '0.25' }), []);
    expect(rule).to.include({ amount: '1200500000000', burst: 250_000 });
  });

  it('says what is wrong, field by field', () => {
    expect(errorsOf({ name: ' ' })).to.deep.equal({ name: 'name' });
    expect(errorsOf({ id: 'Not this' })).to.deep.equal({ id: 'id' });
    expect(errorsOf({ id: 'free' }, ['free'])).to.deep.equal({ id: 'idTaken' });
    expect(errorsOf({ amount: 'lots' })).to.deep.equal({ amount: 'count' });
    expect(errorsOf({ measure: 'money', amount: '0.0000005' })).to.deep.equal({ amount: 'money' });
    expect(errorsOf({ per: ['key', 'user', 'ip', 'model'] })).to.deep.equal({ per: 'per' });
    expect(errorsOf(scope({ addresses: '10.0.0.0/8, 300.1.1.1' }))).to.deep.equal({ addresses: 'addresses' });
    expect(errorsOf(scope({ models: 'a*b*c*d*e*' }))).to.deep.equal({ models: 'stars' });
    expect(errorsOf({ algorithm: 'leakyBucket', burst: 'some' })).to.deep.equal({ burst: 'count' });
    expect(errorsOf({ action: 'model' })).to.deep.equal({ model: 'model' });
    expect(errorsOf({ action: 'wait', mostWaiting: '0', longestSeconds: '601' })).to.deep.equal({
      mostWaiting: 'mostWaiting',
      longestSeconds: 'longestSeconds',
    });
  });

  it('leaves out what does not belong to the measure or the way of counting', () => {
    expect(readLimitDraft(draft({ burst: '9' }), []).rule).not.to.have.property('burst');
    expect(readLimitDraft(draft({ measure: 'inFlight', algorithm: 'tokenBucket', burst: '9' }), []).rule).to.have.all.keys(
      ...['id', 'name', 'enabled', 'per', 'scope', 'action', 'measure', 'amount'],
    );
  });

  it('makes an id of the name, and another where that is taken', () => {
    expect(freeId('Free tier, EU', [])).to.equal('free-tier-eu');
    expect(freeId('Free tier', ['free-tier', 'free-tier-2'])).to.equal('free-tier-3');
    expect(freeId('免费', [])).to.equal('rule');
    expect(freeId('x'.repeat(99), []).length).to.be.below(65);
  });

  it('knows which field the server means', () => {
    expect(['rules.3.scope.models', 'rules.0.action.longestMs', 'rules.12.burst', 'whenStoreAway', null].map(limitFieldOf)).to.deep.equal([
      'models',
      'longestSeconds',
      'burst',
      null,
      null,
    ]);
  });
});

describe('changing one rule of limits', () => {
  const [first, second, third] = policy.rules;
  const rule = first!;

  it('puts it beside the others, in its place, or away', () => {
    const other = { ...rule, id: 'other' };
    expect(withLimitChange(policy, { before: null, after: other })?.rules).to.deep.equal([first, second, third, other]);
    const changed = { ...rule, name: 'Changed' };
    expect(withLimitChange(policy, { before: rule, after: changed })?.rules).to.deep.equal([changed, second, third]);
    expect(withLimitChange(policy, { before: rule, after: null })?.rules).to.deep.equal([second, third]);
  });

  it('does not where somebody changed it, took it away, or took its id', () => {
    expect(withLimitChange(policy, { before: { ...rule, name: 'As it was' }, after: null })).to.equal(null);
    expect(withLimitChange({ ...policy, rules: [] }, { before: rule, after: rule })).to.equal(null);
    expect(withLimitChange(policy, { before: null, after: rule })).to.equal(null);
  });

  it('reads anew and tries again when somebody came between, but not for ever', async () => {
    let revision = 1;
    let moves = 2;
    const written: number[] = [];
    const attempt = () =>
      rewrite({
        read: () => Promise.resolve({ whole: revision, revision }),
        change: (whole) => whole * 10,
        write: (whole, seen) => {
          if (moves > 0) {
            moves -= 1;
            revision += 1;
          }
          if (seen !== revision) return Promise.reject(new ApiFailure('revision_mismatch', '', { status: 412 }));
          written.push(whole);
          return Promise.resolve('done');
        },
      });
    expect(await attempt()).to.equal('done');
    expect(written).to.deep.equal([30]);
    moves = 100;
    const failure: unknown = await attempt().catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(ApiFailure).with.property('code', 'revision_mismatch');
    expect(moves).to.equal(96);
  });
});
