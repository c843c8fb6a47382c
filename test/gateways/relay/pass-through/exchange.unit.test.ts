import { expect } from 'chai';
import { outcomeOf } from '../../../../gateways/relay/pass-through/exchange.ts';
import type { Passed } from '../../../../gateways/relay/pass-through/passing.ts';

describe('what a try of a passed call came to', () => {
  const unanswered = (why: Extract<Passed, { kind: 'unanswered' }>['why']): Passed => ({ kind: 'unanswered', why, refusal: null });
  const answered = (kind: 'answered' | 'broken', status: number): Passed => ({
    ...{ kind, status },
    reading: { kind: 'absent' },
    rest: Buffer.alloc(0),
  });

  it('is no fault of the upstream where we or the client ended it', () => {
    for (const why of ['interrupted', 'not_recorded'] as const) expect(outcomeOf(unanswered(why), false), why).to.equal('aborted');
    expect(outcomeOf(answered('broken', 200), true)).to.equal('aborted');
  });

  it('is one where no answer came, or none to its end', () => {
    expect(outcomeOf(unanswered('timed_out'), false)).to.equal('timed_out');
    for (const why of ['blocked', 'unreachable', 'broken'] as const) expect(outcomeOf(unanswered(why), true), why).to.equal('failed');
    expect(outcomeOf(answered('broken', 200), false)).to.equal('failed');
  });

  it('is an answer or a refusal by its status, whoever sees it', () => {
    expect(outcomeOf(answered('answered', 200), false)).to.equal('answered');
    expect(outcomeOf(answered('answered', 304), false)).to.equal('answered');
    expect(outcomeOf(answered('answered', 400), false)).to.equal('refused');
    expect(outcomeOf({ kind: 'judged', status: 302, headers: {} }, false)).to.equal('refused');
  });
});
