import { expect } from 'chai';
import type { ChannelSettings } from '../../../ui/src/api/channels.ts';
import { channelDraftOf, readChannelDraft } from '../../../ui/src/features/channels/channel-draft.ts';
import { moreDraftOf, withMore, type MoreDraft } from '../../../ui/src/features/channels/more-draft.ts';
import { sampleChannels } from '../support/sample-data.ts';

const [channel] = sampleChannels(Date.parse('2026-11-22T12:00:00.000Z'));
if (channel === undefined) throw new Error('there are channels');
const { tags: _tags, ...plain } = channel.settings;
const rich: ChannelSettings = {
  ...plain,
  tags: ['eu', 'old'],
  proxy: 'socks5://10.0.0.1:1080',
  keyOrder: 'random',
  passThrough: 'calls',
  responses: 'native',
  testEveryMinutes: 30,
  balance: { everyMinutes: 60, warnBelow: '5.00', disableAtZero: true },
  testModel: plain.models[0]?.model,
  times: { answerSeconds: 60, firstEventSeconds: 5 },
  systemPrompt: { text: 'Be brief.', place: 'instead' },
  bodyRules: [{ op: 'delete', path: 'logit_bias' }],
  endpoints: ['chat'],
};
const read = (settings: ChannelSettings, change: Partial<MoreDraft> = {}) => withMore(settings, { ...moreDraftOf(settings), ...change });

describe('what most channels do without', () => {
  it('is written as it was read, and leaves the rest as it is', () => {
    expect(read(rich)).to.deep.equal({ settings: rich, errors: {} });
    expect(read(plain)).to.deep.equal({ settings: plain, errors: {} });
    const { testModel } = rich;
    expect(withMore(rich, moreDraftOf(null)).settings).to.deep.equal({ ...plain, testModel });
  });

  it('stays when the usual settings are changed, also what is said of a model', () => {
    const models = plain.models.map((mapping) => ({ ...mapping, lacks: ['tools' as const] }));
    const before = { ...rich, models };
    const { settings } = readChannelDraft({ ...channelDraftOf({ ...channel, settings: before }), weight: '9' }, before);
    expect(settings).to.deep.equal({ ...before, weight: 9 });
  });

  it('opens an upstream, closes it again, and leaves the Responses API to the table of providers', () => {
    const { passThrough, responses, ...closed } = rich;
    expect([passThrough, responses]).to.deep.equal([moreDraftOf(rich).passThrough, moreDraftOf(rich).responses]);
    expect(read(rich, { passThrough: 'nothing', responses: 'known' }).settings).to.deep.equal(closed);
    expect(read(plain, { passThrough: 'everything', responses: 'converted' }).settings).to.deep.equal({
      ...plain,
      passThrough: 'everything',
      responses: 'converted',
    });
  });

  it('has a balance asked for in the provider’s own currency, or not at all', () => {
    expect(read(plain, { balanceEvery: '30', warnBelow: '0,50' }).settings?.balance).to.deep.equal({ everyMinutes: 30, warnBelow: '0.50' });
    expect(read(rich, { balanceEvery: '', warnBelow: '', offAtZero: false }).settings).to.not.have.property('balance');
  });

  it('says what cannot be read', () => {
    const wrong: readonly (readonly [keyof MoreDraft, string])[] = [
      ['proxy', 'ftp://x'],
      ['proxy', 'http://user:secret@proxy:1'],
      ['testEvery', '0'],
      ['answer', '1.5'],
      ['firstEvent', 'soon'],
      ['balanceEvery', '4'],
      ['balanceEvery', '10081'],
      ['balanceEvery', ''],
      ['warnBelow', 'little'],
      ['rules', '[]'],
      ['rules', '{"other":[]}'],
      ['rules', '{"bodyRules":1}'],
      ['rules', '{'],
    ];
    for (const [field, text] of wrong) {
      const { settings, errors } = read(rich, { [field]: text });
      expect([settings, Object.keys(errors)], `${field} ${text}`).to.deep.equal([null, [field]]);
    }
  });
});
