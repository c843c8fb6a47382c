import { expect } from 'chai';
import { createKeyStandings } from '../../../infra/console-reads/key-standings.ts';
import { ReadModelsUnavailable } from '../../../projections/engine/read-models-unavailable.ts';
import { TokenId, UserId } from '../../../schemas/ids.ts';
import { describeOnShop } from '../../gateways/console/reads/on-shop.ts';
import { clock, KEYS, money, PEOPLE } from '../../gateways/console/reads/shop.ts';
import { refused } from '../../support/refused.ts';

const { ada, bob, cyd } = PEOPLE;

describeOnShop('what a key may still spend', (shop) => {
  const standingOf = (userId: UserId, tokenId: TokenId) => createKeyStandings({ database: shop().database, clock }).of(userId, tokenId);
  const spentBy = (tokenId: TokenId) =>
    shop()
      .calls.filter((call) => call.tokenId === tokenId)
      .reduce((sum, { amount }) => sum + amount, 0n);

  it('is the balance where no cap is, and the lesser of both where one is', async () => {
    const { balance } = shop();
    expect(await standingOf(ada, KEYS.alpha)).to.deep.equal({
      spent: spentBy(KEYS.alpha),
      cap: null,
      balance: balance.get(ada),
      left: balance.get(ada),
    });
    const cap = money(40_000_000_000);
    expect(await standingOf(bob, KEYS.gamma)).to.deep.equal({
      spent: spentBy(KEYS.gamma),
      cap,
      balance: balance.get(bob),
      left: balance.get(bob),
    });
    expect(await standingOf(ada, KEYS.drained)).to.deep.equal({ spent: 0n, cap: 0n, balance: balance.get(ada), left: 0n });
  });

  it('is never below nothing, whatever a cap was lowered to', async () => {
    expect(spentBy(KEYS.beta) > 30_000n).to.equal(true);
    expect(await standingOf(bob, KEYS.beta)).to.deep.include({ spent: spentBy(KEYS.beta), cap: 30_000n, left: 0n });
  });

  it('is not told of another’s key, of one that is not known yet, or of nobody’s account', async () => {
    for (const [userId, tokenId] of [
      [ada, KEYS.beta],
      [bob, TokenId.parse('key_none')],
      [cyd, KEYS.alpha],
      [UserId.parse('usr_none'), KEYS.alpha],
    ] as const)
      expect(refused(await standingOf(userId, tokenId)).refused).to.equal('read_model_behind');
  });

  it('is refused while the read models cannot be asked, and nothing else is', async () => {
    const failing = (error: Error) => createKeyStandings({ database: { query: () => Promise.reject(error) }, clock }).of(ada, KEYS.alpha);
    expect(refused(await failing(new ReadModelsUnavailable(new Error('gone')))).refused).to.equal('read_model_behind');
    const bug = new Error('syntax error');
    expect(
      await failing(bug).then(
        () => null,
        (error: unknown) => error,
      ),
    ).to.equal(bug);
  });
});
