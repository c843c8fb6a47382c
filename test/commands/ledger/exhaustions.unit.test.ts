import { expect } from 'chai';
import { Exhaustions, isFresh } from '../../../commands/ledger/exhaustions.ts';
import { refuse } from '../../../schemas/errors.ts';
import type { TokenId } from '../../../schemas/ids.ts';
import type { Money } from '../../../schemas/money.ts';

describe('the words of exhausted accounts', () => {
  const KEY = 'tok_1' as TokenId;
  const OTHER = 'tok_2' as TokenId;
  const EMPTY = refuse('insufficient_quota');
  const money = (amount: bigint): Money => amount as Money;

  it('are believed for a second, of as much or more, and of that key alone', () => {
    const words = new Exhaustions();
    words.believe(KEY, EMPTY, money(10n), 5_000);
    expect(words.wordOn(KEY, money(10n), 5_000)).to.equal(EMPTY);
    expect(words.wordOn(KEY, money(11n), 5_999)).to.equal(EMPTY);
    expect(words.wordOn(KEY, money(9n), 5_000), 'less may be there').to.equal(null);
    expect(words.wordOn(OTHER, money(10n), 5_000)).to.equal(null);
    expect(words.wordOn(KEY, money(10n), 6_000)).to.equal(null);
  });

  it('do not hold for longer where the clock has jumped back', () => {
    expect([isFresh(5_000, 4_999), isFresh(5_000, 5_000), isFresh(5_000, 5_999), isFresh(5_000, 6_000)]).to.deep.equal([
      false,
      true,
      true,
      false,
    ]);
  });

  it('are forgotten once the account moves, and with time', () => {
    const words = new Exhaustions();
    words.believe(KEY, EMPTY, money(10n), 5_000);
    words.believe(OTHER, EMPTY, money(10n), 5_500);
    words.forgetStale(6_000);
    expect([words.wordOn(KEY, money(10n), 5_600), words.wordOn(OTHER, money(10n), 5_600)]).to.deep.equal([null, EMPTY]);
    words.forget(OTHER);
    expect(words.wordOn(OTHER, money(10n), 5_600)).to.equal(null);
  });
});
