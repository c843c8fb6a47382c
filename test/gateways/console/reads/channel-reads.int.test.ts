import { expect } from 'chai';
import { ChannelList, ChannelView } from '../../../../schemas/http/channels.ts';
import { ChannelId } from '../../../../schemas/ids.ts';
import { answered, describeOnShop } from './on-shop.ts';
import { CHANNELS, SECRET } from './shop.ts';

describeOnShop('channels', (shop) => {
  it('are those that were not removed, by priority, without their credentials', async () => {
    const { rows } = answered(ChannelList, await shop().reads.channels({}));
    expect(rows.map(({ channelId }) => channelId)).to.deep.equal([CHANNELS.vip, CHANNELS.main, CHANNELS.off]);
    expect(JSON.stringify(rows)).not.to.include(SECRET).and.not.to.include('secret');
    expect(rows[1]?.keys).to.deep.equal([{ keyId: 'chk_1', hint: '…cret', enabled: true, disabledReason: null }]);
  });

  it('are found by provider and by model', async () => {
    const find = async (filter: Parameters<ReturnType<typeof shop>['reads']['channels']>[0]) =>
      (await shop().reads.channels(filter)).rows.map(({ channelId }) => channelId);
    expect(await find({ provider: 'openai' })).to.deep.equal([CHANNELS.main]);
    expect(await find({ model: 'm3' })).to.deep.equal([CHANNELS.vip]);
    expect(await find({ model: 'up-m3' })).to.deep.equal([]);
    expect(await find({ model: 'm\0' })).to.deep.equal([]);
    expect(await find({ provider: 'openai', model: 'm3' })).to.deep.equal([]);
  });

  it('are shown one by one as in the list', async () => {
    const { reads } = shop();
    const { rows } = await reads.channels({});
    for (const row of rows) expect(answered(ChannelView, (await reads.channel(row.channelId))!)).to.deep.equal(row);
    expect(await reads.channel(CHANNELS.off)).to.include({ enabled: false, disabledBy: 'platform', disabledReason: 'refused the key' });
    expect((await reads.channel(CHANNELS.main))?.lastTest).to.include({ ok: true, latencyMs: 12 });
    expect(await reads.channel(CHANNELS.gone)).to.equal(null);
    expect(await reads.channel(ChannelId.parse('chn_none'))).to.equal(null);
  });
});
