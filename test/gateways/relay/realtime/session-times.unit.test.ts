import { expect } from 'chai';
import { DEFAULT_RELAY_LIMITS } from '../../../../gateways/relay/relay-limits.ts';
import { SessionTimes, type Due, type Sight } from '../../../../gateways/relay/realtime/session-times.ts';

const LIMITS = {
  unreadMs: 300,
  realtime: { ...DEFAULT_RELAY_LIMITS.realtime, pingMs: 1_000, idleMs: 5_000, sessionMs: 20_000, unsentBytes: 100 },
};

const BOTH_READ: Sight = { unread: { client: false, upstream: false }, unsentBytes: 0 };

describe('the time limits of a session', () => {
  let times: SessionTimes;
  const at = (now: number, sight: Partial<Sight> = {}): readonly Due[] => times.check(now, { ...BOTH_READ, ...sight });
  const alive = (now: number): void => {
    times.heard('client', now);
    times.heard('upstream', now);
  };

  beforeEach(() => {
    times = new SessionTimes(LIMITS, 0);
  });

  it('ask a quiet peer once, and find one silent that does not answer', () => {
    times.heard('client', 900);
    expect(at(1_000)).to.deep.equal([]);
    expect(at(1_001)).to.deep.equal([{ kind: 'quiet', side: 'upstream' }]);
    expect(at(1_500)).to.deep.equal([]);
    expect(at(1_901)).to.deep.equal([{ kind: 'quiet', side: 'client' }]);
    expect(at(2_001)).to.deep.equal([{ kind: 'silent', side: 'upstream' }]);
  });

  it('ask anew once a peer has been heard', () => {
    expect(at(1_001).map(({ kind }) => kind)).to.deep.equal(['quiet', 'quiet']);
    alive(1_100);
    expect(at(2_050)).to.deep.equal([]);
    expect(at(2_101).map(({ kind }) => kind)).to.deep.equal(['quiet', 'quiet']);
  });

  it('do not take a peer for silent that nobody reads', () => {
    times.heard('upstream', 2_500);
    expect(at(2_500, { unread: { client: true, upstream: false } })).to.deep.equal([]);
    expect(at(3_400), 'counted from when it was last not read').to.deep.equal([]);
    expect(at(3_501)).to.deep.equal([
      { kind: 'quiet', side: 'client' },
      { kind: 'quiet', side: 'upstream' },
    ]);
  });

  it('say nothing of anything else where a peer is silent', () => {
    times.heard('client', 24_500);
    expect(at(25_000, { unsentBytes: 1_000 })).to.deep.equal([{ kind: 'silent', side: 'upstream' }]);
  });

  it('give up a client that leaves too much unread for too long, from when it began', () => {
    expect(at(100, { unsentBytes: 101 })).to.deep.equal([]);
    expect(at(400, { unsentBytes: 5_000 })).to.deep.equal([]);
    expect(at(401, { unsentBytes: 101 })).to.deep.equal([{ kind: 'unread' }]);
    expect(at(500, { unsentBytes: 100 })).to.deep.equal([]);
    expect(at(750, { unsentBytes: 101 })).to.deep.equal([]);
    expect(at(1_000, { unsentBytes: 101 })).to.deep.equal([]);
    alive(1_000);
    expect(at(1_051, { unsentBytes: 101 })).to.deep.equal([{ kind: 'unread' }]);
  });

  it('end a session in which nobody says anything, whatever pings are answered', () => {
    times.framed(1_000);
    alive(6_000);
    expect(at(6_000)).to.deep.equal([]);
    expect(at(6_001)).to.deep.equal([{ kind: 'over', reason: 'nobody said anything' }]);
    times.framed(6_001);
    expect(at(6_002)).to.deep.equal([]);
  });

  it('end one that has lasted, however much is said', () => {
    times.framed(20_000);
    alive(20_000);
    expect(at(20_000)).to.deep.equal([]);
    expect(at(20_001)).to.deep.equal([{ kind: 'over', reason: 'the session has lasted for as long as one may' }]);
  });
});
