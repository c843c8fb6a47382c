import { expect } from 'chai';
import fc from 'fast-check';
import { askedToWait, backoff } from '../../../domain/relay/backoff.ts';
import { outputLimitField } from '../../../domain/relay/output-limit-field.ts';
import { earn, spendRetry } from '../../../domain/relay/retry-budget.ts';
import { levelOf, waitForOne } from '../../../domain/relay/token-bucket.ts';
import { judgeUpstream } from '../../../domain/relay/upstream-verdict.ts';
import { check } from '../../ledger/seed.ts';

describe('backoff', () => {
  it('doubles, with full jitter, up to a limit', () => {
    const policy = { base: 100, most: 1_000 };
    expect([0, 1, 2, 3, 4, 50].map((retry) => backoff(retry, policy, 0.999999))).to.deep.equal([99, 199, 399, 799, 999, 999]);
    expect(backoff(3, policy, 0)).to.equal(0);
  });

  it('reads what an upstream asks for', () => {
    const now = Date.parse('2026-05-10T12:00:00Z');
    expect(askedToWait(undefined, '2', now)).to.equal(2_000);
    expect(askedToWait('1500.5', '9', now)).to.equal(1_501);
    expect(askedToWait(undefined, 'Sun, 10 May 2026 12:00:30 GMT', now)).to.equal(30_000);
    expect(askedToWait(undefined, 'Sun, 10 May 2026 11:00:00 GMT', now)).to.equal(0);
    for (const nonsense of ['soon', '-5', '', '1e9']) expect(askedToWait(undefined, nonsense, now), nonsense).to.equal(null);
    expect(askedToWait('never', undefined, now)).to.equal(null);
  });
});

describe('the retry budget', () => {
  it('keeps retries within a share of the calls once its savings are spent', () => {
    const policy = { share: 0.2, mostSaved: 10 };
    let saved = policy.mostSaved;
    let retries = 0;
    for (let call = 0; call < 1_000; call++) {
      saved = earn(saved, policy);
      const left = spendRetry(saved);
      if (left === null) continue;
      saved = left;
      retries++;
    }
    expect(retries).to.be.within(205, 215);
  });

  it('saves no more than its limit', () => {
    expect(earn(9.9, { share: 0.2, mostSaved: 10 })).to.equal(10);
    expect(spendRetry(0.99)).to.equal(null);
  });
});

describe('a token bucket', () => {
  it('refills steadily, to the brim and not beyond, whatever the clock does', () => {
    check(
      fc.property(
        fc.double({ min: 0, max: 100, noNaN: true }),
        fc.integer({ min: 0, max: 10_000 }),
        fc.integer({ min: -10_000, max: 100_000 }),
        (level, at, passed) => {
          const now = levelOf({ level, at }, at + passed, 0.01, 100);
          expect(now).to.be.within(Math.min(level, 100), 100);
          if (passed >= 0) expect(now).to.be.closeTo(Math.min(100, level + passed * 0.01), 1e-6);
        },
      ),
    );
  });

  it('says how long until there is one', () => {
    expect(waitForOne(1, 0.01)).to.equal(0);
    expect(waitForOne(0, 0.01)).to.equal(100);
    expect(waitForOne(0.75, 0.01)).to.equal(25);
  });
});

describe('the verdict on an upstream’s status', () => {
  it('tells whose fault it is', () => {
    const verdicts = (statuses: readonly number[]): readonly string[] => [
      ...new Set(statuses.map((status) => judgeUpstream(status, null, null))),
    ];
    expect(verdicts([200, 201])).to.deep.equal(['answer']);
    expect(verdicts([400, 409, 413, 422, 451])).to.deep.equal(['callers_fault']);
    expect(verdicts([401, 403])).to.deep.equal(['key_refused']);
    expect(verdicts([402])).to.deep.equal(['key_spent']);
    expect(verdicts([404, 405, 410])).to.deep.equal(['channel_unfit']);
    expect(verdicts([429])).to.deep.equal(['rate_limited']);
    expect(verdicts([204, 302, 408, 500, 502, 503, 504, 524, 529])).to.deep.equal(['channel_failed']);
  });

  it('tells a limit from an empty account, and a bad key from a closed country', () => {
    expect(judgeUpstream(429, 'insufficient_quota', null)).to.equal('key_spent');
    expect(judgeUpstream(429, null, 'insufficient_quota')).to.equal('key_spent');
    expect(judgeUpstream(403, 'unsupported_country_region_territory', null)).to.equal('channel_unfit');
  });
});

describe('the field that limits output', () => {
  it('is the one that the model takes', () => {
    for (const model of ['o1', 'o3-mini', 'o4-mini-2025-04-16', 'gpt-5', 'gpt-5.4-mini', 'gpt-10', 'openai/gpt-5', 'codex-mini'])
      expect(outputLimitField(model), model).to.equal('max_completion_tokens');
    for (const model of ['gpt-4o', 'gpt-3.5-turbo', 'deepseek-chat', 'llama-3', 'openai-o', 'orca', 'o-model'])
      expect(outputLimitField(model), model).to.equal('max_tokens');
  });
});
