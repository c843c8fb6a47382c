import { expect } from 'chai';
import {
  channelDraftOf,
  channelFieldOf,
  emptyChannelDraft,
  needsSecrets,
  parseMappings,
  printMappings,
  readChannelDraft,
  secretsOf,
  type ChannelDraft,
} from '../../../ui/src/features/channels/channel-draft.ts';
import { matchesSearch, stateOf } from '../../../ui/src/features/channels/channel-state.ts';
import { sampleChannels } from '../support/sample-data.ts';

const NOW = Date.parse('2026-11-22T12:00:00.000Z');
const draft = (change: Partial<ChannelDraft>): ChannelDraft => ({
  ...emptyChannelDraft(),
  name: 'OpenAI',
  baseUrl: 'https://api.openai.com/v1',
  models: 'gpt-5.2',
  ...change,
});

describe('the form of a channel', () => {
  it('reads models with and without another name upstream', () => {
    expect(parseMappings('gpt-5.2\nfast = gpt-5.2-mini\n\na -> b\nc→d')).to.deep.equal([
      { model: 'gpt-5.2', upstreamModel: 'gpt-5.2' },
      { model: 'fast', upstreamModel: 'gpt-5.2-mini' },
      { model: 'a', upstreamModel: 'b' },
      { model: 'c', upstreamModel: 'd' },
    ]);
    for (const wrong of ['a =', '= b', 'a = b = c', 'two words']) expect(parseMappings(wrong), wrong).to.equal(null);
  });

  it('prints models so that they read back', () => {
    const models = [
      { model: 'a', upstreamModel: 'a' },
      { model: 'b', upstreamModel: 'c' },
    ];
    expect(parseMappings(printMappings(models))).to.deep.equal(models);
  });

  it('gives back the channel that it was filled from', () => {
    for (const channel of sampleChannels(NOW)) {
      const read = readChannelDraft(channelDraftOf(channel), channel.settings);
      expect(read.errors, channel.settings.name).to.deep.equal({});
      expect(read.settings).to.deep.equal(channel.settings);
    }
  });

  it('wants what stands in braces filled in', () => {
    const open = 'https://api.cloudflare.com/client/v4/accounts/{account}/ai/v1';
    expect(readChannelDraft(draft({ baseUrl: open }), null).errors).to.deep.equal({ baseUrl: 'blank' });
    expect(readChannelDraft(draft({ baseUrl: open.replace('{account}', '0a1b') }), null).errors).to.deep.equal({});
  });

  it('asks for secrets anew when the address leads elsewhere, and only then', () => {
    const { settings: before } = readChannelDraft(draft({}), null);
    expect(needsSecrets(draft({ baseUrl: 'https://api.openai.com/v2' }), before)).to.equal(false);
    expect(needsSecrets(draft({ baseUrl: 'https://elsewhere.example/v1' }), before)).to.equal(true);
    expect(readChannelDraft(draft({ baseUrl: 'https://elsewhere.example/v1' }), before).errors).to.deep.equal({ secrets: 'secrets' });
    expect(needsSecrets(draft({}), null)).to.equal(false);
    expect(secretsOf(draft({ secrets: 'sk-1\n sk-2 \nsk-1' }))).to.deep.equal(['sk-1', 'sk-2']);
    expect(secretsOf(draft({ secrets: ' {\n  "private_key": "a b"\n}\n' }))).to.deep.equal(['{\n  "private_key": "a b"\n}']);
  });

  it('names every field that is wrong at once', () => {
    expect(
      readChannelDraft(draft({ name: '', baseUrl: 'api.openai.com', models: '', priority: 'high', weight: '-1', cost: 'x' }), null).errors,
    ).to.deep.equal({
      name: 'name',
      baseUrl: 'baseUrl',
      models: 'models',
      priority: 'priority',
      weight: 'weight',
      cost: 'cost',
    });
  });

  it('reads cost as an exact ratio', () => {
    expect(readChannelDraft(draft({ cost: '62.5' }), null).settings?.costRatio).to.equal(625_000);
    expect(readChannelDraft(draft({ cost: '0.0001 %' }), null).settings?.costRatio).to.equal(1);
  });

  it('finds the field that the server found at fault', () => {
    expect(channelFieldOf('settings.baseUrl')).to.equal('baseUrl');
    expect(channelFieldOf('settings.costRatio')).to.equal('cost');
    expect(channelFieldOf('secrets.0')).to.equal('secrets');
    expect(channelFieldOf('something')).to.equal(null);
  });
});

describe('the state of a channel', () => {
  it('says first whether it is on, then whether it works', () => {
    expect(stateOf({ enabled: true, disabledBy: null, health: 'failing' })).to.equal('failing');
    expect(stateOf({ enabled: false, disabledBy: 'operator', health: 'healthy' })).to.equal('disabled');
    expect(stateOf({ enabled: false, disabledBy: 'platform', health: 'healthy' })).to.equal('stopped');
  });

  it('is found by name, address and model', () => {
    const [channel] = sampleChannels(NOW);
    for (const wanted of ['openai MAIN', 'openai-main.example', 'fast', '']) expect(matchesSearch(channel!, wanted), wanted).to.equal(true);
    expect(matchesSearch(channel!, 'mistral')).to.equal(false);
  });
});
