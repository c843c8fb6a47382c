import { expect } from 'chai';
import type { ChannelSettings } from '../../../ui/src/api/channels.ts';
import { changesOf, compareWith, entriesOf } from '../../../ui/src/features/channels/channel-file.ts';
import { sampleChannels } from '../support/sample-data.ts';

const HERE = sampleChannels(Date.parse('2026-11-22T12:00:00.000Z'));
const MAIN = HERE[0]!.settings;
const fileOf = (channels: readonly unknown[], more: object = {}): string =>
  JSON.stringify({ format: 'oblivious-channels', version: 1, channels, ...more });
const compared = (channels: readonly unknown[]) => {
  const found = entriesOf(fileOf(channels));
  if ('problem' in found) throw new Error(found.problem);
  return compareWith(found.entries, HERE);
};
const reversed = (settings: ChannelSettings): object => Object.fromEntries(Object.entries(settings).reverse());

describe('a file of channels', () => {
  it('says what is wrong with it', () => {
    const rows = [
      ['{', 'json'],
      ['[]', 'format'],
      [JSON.stringify({ format: 'something-else', version: 1, channels: [] }), 'format'],
      [fileOf([{ settings: MAIN }], { version: 2 }), 'version'],
      [fileOf([]), 'empty'],
      [fileOf(Array.from({ length: 501 }, () => ({ settings: MAIN }))), 'many'],
    ] as const;
    for (const [text, problem] of rows) expect(entriesOf(text), text.slice(0, 60)).to.deep.equal({ problem });
    expect(entriesOf(`\uFEFF${fileOf([{ settings: MAIN }])}`)).to.have.property('entries');
  });

  it('finds everything as it is here that was exported here, in whatever order it is written', () => {
    expect(compared(HERE.map(({ settings }) => ({ settings: reversed(settings) }))).map(({ kind }) => kind)).to.deep.equal(
      HERE.map(() => 'same'),
    );
  });

  it('tells new, changed, repeated and unreadable ones apart', () => {
    const rows = compared([
      { settings: { ...MAIN, name: 'Brand new' } },
      {
        settings: { ...MAIN, priority: 20, models: [...MAIN.models.slice(1), { model: 'gpt-6', upstreamModel: 'gpt-6' }], tags: undefined },
      },
      { settings: MAIN },
      { settings: { name: 'no models', provider: 'openai', baseUrl: 'https://a.example/v1' } },
      { settings: { ...MAIN, name: 'odd secrets' }, secrets: [7] },
      null,
    ]);
    expect(rows.map(({ kind }) => kind)).to.deep.equal(['new', 'different', 'twice', 'unreadable', 'unreadable', 'unreadable']);
    const [, changed] = rows;
    expect(changed?.kind === 'different' && changed.changes).to.deep.equal([
      { name: 'models', before: '4', after: '4 +gpt-6 −gpt-5.2' },
      { name: 'priority', before: '10', after: '20' },
      { name: 'tags', before: '["europe","paid"]', after: '–' },
    ]);
  });

  it('changes an address only together with keys for it', () => {
    const elsewhere = { ...MAIN, baseUrl: 'https://other.example/v1' };
    const path = { ...MAIN, baseUrl: `${MAIN.baseUrl}/beta` };
    expect(compared([{ settings: elsewhere }])[0]).to.include({ kind: 'elsewhere' });
    expect(compared([{ settings: elsewhere, secrets: ['sk-1'] }])[0]).to.include({ kind: 'different' });
    expect(compared([{ settings: path }])[0]).to.include({ kind: 'different' });
  });

  it('keeps long values short', () => {
    const [change] = changesOf(MAIN, { ...MAIN, systemPrompt: { text: 'x'.repeat(500), place: 'before' } });
    expect(change?.before).to.equal('–');
    expect(change?.after).to.have.length(60).and.match(/…$/);
  });
});
