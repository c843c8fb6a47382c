import { expect } from 'chai';
import { isRefusal } from '../../../schemas/errors.ts';
import { PriceListId } from '../../../schemas/ids.ts';
import { LOG_LIMITS } from '../../../schemas/log-limits.ts';
import { priceListOf } from '../../../domain/pricing/price-list.ts';
import { encodeEvent } from '../../../domain/kernel/event-codec.ts';
import { shippedPriceList } from '../../../infra/prices/price-list.ts';

describe('shipped price list', () => {
  it('prices at least 500 models, says when and whence, and fits in one event with room to grow', async () => {
    const { title, asOf, source, models } = await shippedPriceList();
    expect(models.length).to.be.at.least(500);
    expect(source).to.have.length.greaterThan(20);
    const list = priceListOf(PriceListId.parse('prl_1'));
    const decided = list.decide({ kind: 'publish', title, asOf, source, effectiveFrom: `${asOf}T00:00:00.000Z`, models }, list.initial);
    if (isRefusal(decided)) return expect.fail(decided.message);
    const [published] = decided;
    if (published === undefined) return expect.fail('nothing was published');
    expect(Buffer.byteLength(JSON.stringify(encodeEvent(published).data))).to.be.lessThan(LOG_LIMITS.eventBytes / 2);
  });

  it('has the figures that everybody knows', async () => {
    const { models } = await shippedPriceList();
    const ratesOf = (name: string) => models.find(({ model }) => model === name)?.rates;
    expect(ratesOf('gpt-4o')).to.include({ input: 2_500_000_000n, cachedInput: 1_250_000_000n, output: 10_000_000_000n });
    expect(ratesOf('claude-sonnet-4-5')).to.include({ input: 3_000_000_000n, output: 15_000_000_000n });
    expect(ratesOf('text-embedding-3-small')).to.deep.equal({ input: 20_000_000n });
  });
});
