import { expect } from 'chai';
import { StandingLook } from '../../../../gateways/relay/realtime/standing-look.ts';
import { refuse, type Refusal } from '../../../../schemas/errors.ts';

describe('the look at whether a key is still good', () => {
  const GONE = refuse('invalid_api_key');

  it('is taken twice a second, and tells of a key that is not', () => {
    let standing: Refusal | null = null;
    let looks = 0;
    const lost: Refusal[] = [];
    const look = new StandingLook(
      () => {
        looks++;
        return standing;
      },
      (refusal) => lost.push(refusal),
    );
    for (const now of [499, 500, 600, 999, 1_000]) look.check(now);
    expect(looks).to.equal(2);
    expect(lost).to.deep.equal([]);
    standing = GONE;
    look.check(1_499);
    expect(lost).to.deep.equal([]);
    look.check(1_500);
    expect(lost).to.deep.equal([GONE]);
  });

  it('waits for the answer of one that takes its time, and is not taken twice meanwhile', async () => {
    const answers: ((refusal: Refusal | null) => void)[] = [];
    const lost: Refusal[] = [];
    const look = new StandingLook(
      () => new Promise((resolve) => answers.push(resolve)),
      (refusal) => lost.push(refusal),
    );
    look.check(500);
    look.check(5_000);
    expect(answers.length).to.equal(1);
    answers[0]?.(null);
    await new Promise(setImmediate);
    look.check(5_500);
    expect(answers.length).to.equal(2);
    answers[1]?.(GONE);
    await new Promise(setImmediate);
    expect(lost).to.deep.equal([GONE]);
  });
});
