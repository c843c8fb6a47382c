import { expect } from 'chai';
import { SignInThrottle } from '../../../gateways/console/sign-in-throttle.ts';

const throttleAt = (): { throttle: SignInThrottle; pass: (ms: number) => void; attempt: (account: string, address: string) => number } => {
  let now = 0;
  const throttle = new SignInThrottle({ now: () => now });
  return {
    throttle,
    pass: (ms) => void (now += ms),
    attempt: (account, address) => throttle.begin(account, address)?.retryAfterSeconds ?? 0,
  };
};

describe('sign-in throttle', () => {
  it('doubles the wait with each failure of an account, up to half a minute', () => {
    const { attempt, pass } = throttleAt();
    for (let free = 0; free < 5; free++) expect(attempt('ada', `10.0.0.${free}`)).to.equal(0);
    const waits: number[] = [];
    for (let further = 0; further < 7; further++) {
      const wait = attempt('ada', `10.0.1.${further}`);
      waits.push(wait);
      pass(wait * 1_000);
      expect(attempt('ada', `10.0.2.${further}`)).to.equal(0);
    }
    expect(waits).to.deep.equal([1, 2, 4, 8, 16, 30, 30]);
  });

  it('doubles the wait of an address that goes from account to account, up to a quarter of an hour', () => {
    const { attempt, pass } = throttleAt();
    for (let free = 0; free < 20; free++) expect(attempt(`user${free}`, '10.0.0.1')).to.equal(0);
    let wait = 0;
    for (let further = 0; further < 12; further++) {
      wait = attempt(`other${further}`, '10.0.0.1');
      pass(wait * 1_000);
      expect(attempt(`other${further}`, '10.0.0.1')).to.equal(0);
    }
    expect(wait).to.equal(900);
    expect(attempt('anybody', '10.0.0.2'), 'others are not held up').to.equal(0);
  });

  it('counts attempts that run at the same time', () => {
    const { attempt } = throttleAt();
    const waits = Array.from({ length: 50 }, () => attempt('ada', '10.0.0.1'));
    expect(waits.filter((wait) => wait === 0)).to.have.length(5);
  });

  it('forgives an account that got in, and an address that one attempt', () => {
    const { throttle, attempt } = throttleAt();
    for (let round = 0; round < 100; round++) {
      expect(attempt('ada', '10.0.0.1')).to.equal(0);
      throttle.succeeded('ada', '10.0.0.1');
    }
  });

  it('does not count an attempt that was never judged', () => {
    const { throttle, attempt } = throttleAt();
    for (let round = 0; round < 100; round++) {
      expect(attempt('ada', '10.0.0.1')).to.equal(0);
      throttle.withdrawn('ada', '10.0.0.1');
    }
  });

  it('forgets failures after an hour', () => {
    const { attempt, pass } = throttleAt();
    for (let free = 0; free < 5; free++) attempt('ada', '10.0.0.1');
    expect(attempt('ada', '10.0.0.1')).to.equal(1);
    pass(3_600_000);
    for (let free = 0; free < 5; free++) expect(attempt('ada', '10.0.0.1')).to.equal(0);
  });

  it('remembers a bounded number, the latest', () => {
    const { attempt } = throttleAt();
    for (let free = 0; free < 5; free++) attempt('first', '10.0.0.1');
    for (let other = 0; other < 20_000; other++) attempt(`user${other}`, `address${other}`);
    expect(attempt('first', '10.0.0.2'), 'long forgotten').to.equal(0);
    for (let again = 0; again < 4; again++) attempt('user19999', `x${again}`);
    expect(attempt('user19999', 'y')).to.equal(1);
  });
});
