import { expect } from 'chai';
import { AccountNews } from '../../../commands/ledger/account-news.ts';
import type { UserId } from '../../../schemas/ids.ts';

describe('news of accounts', () => {
  const OWNER = 'usr_1' as UserId;

  it('wake everybody who waits for that account, once', async () => {
    const news = new AccountNews();
    const first = news.next(OWNER, 60_000);
    const second = news.next(OWNER, 60_000);
    const other = news.next('usr_2' as UserId, 1);
    news.moved(OWNER);
    expect(await Promise.all([first, second, other])).to.deep.equal([true, true, false]);
    const later = news.next(OWNER, 1);
    expect(await later, 'what was before does not count').to.equal(false);
    news.moved(OWNER);
  });
});
