import { expect } from 'chai';
import { addChannel, addChannelKey, changeChannel } from '../../../commands/channels/add-channel.ts';
import { BalanceCare } from '../../../commands/channels/care-for-balances.ts';
import { careForChannels } from '../../../commands/channels/care-for-channels.ts';
import { channelKeyContext } from '../../../commands/channels/channel-secrets.ts';
import { runChannelCommand } from '../../../commands/channels/run-channel-command.ts';
import { testChannel } from '../../../commands/channels/test-channel.ts';
import { readState } from '../../../commands/read-state.ts';
import { channelOf, channelStream } from '../../../domain/channel/channel.ts';
import { RECOVERY_MS, type ChannelInCare } from '../../../domain/channel/due-tests.ts';
import type { ChannelSettings } from '../../../schemas/events/channel.ts';
import { ChannelId } from '../../../schemas/ids.ts';
import { RATIO_ONE } from '../../../schemas/price.ts';
import { commandBench } from '../../support/command-bench.ts';
import { done, refused } from '../../support/refused.ts';

const settings: ChannelSettings = {
  name: 'Upstream',
  provider: 'openai',
  baseUrl: 'https://api.example.com/v1',
  models: [
    { model: 'small', upstreamModel: 'their-small' },
    { model: 'large', upstreamModel: 'their-large' },
  ],
  priority: 0,
  weight: 1,
  groups: null,
  costRatio: RATIO_ONE,
};
const inside = 'http://10.0.0.1/v1';
const SECRET = 'sk-upstream-0123456789';

describe('channels', () => {
  it('keep their credentials sealed, with a hint to tell them apart', async () => {
    const bench = commandBench();
    done(await addChannel(bench, { settings, secrets: [SECRET, 'short'] }, bench.context()));
    const keys = bench.eventsOf('channel').flatMap((event) => (event.type === 'ChannelKeyAdded' ? [event.data] : []));
    expect(keys.map(({ hint }) => hint)).to.deep.equal(['…6789', '…']);
    expect(keys.map(({ keyId, secret }) => bench.secretBox.open(secret, channelKeyContext(keyId)))).to.deep.equal([SECRET, 'short']);
    expect(JSON.stringify(bench.log.events.map(({ data, metadata }) => [data, metadata]))).not.to.include(SECRET);
  });

  it('may not point inside, neither when added nor when changed', async () => {
    const bench = commandBench();
    expect(refused(await addChannel(bench, { settings: { ...settings, baseUrl: inside }, secrets: [] }, bench.context()))).to.include({
      refused: 'address_blocked',
      param: 'settings.baseUrl',
    });
    const { channelId } = done(await addChannel(bench, { settings, secrets: [] }, bench.context()));
    expect(
      refused(await changeChannel(bench, { channelId, settings: { ...settings, baseUrl: inside } }, bench.context())).refused,
    ).to.equal('address_blocked');
    done(await addChannel(bench, { settings: { ...settings, provider: 'sandbox', baseUrl: inside }, secrets: [] }, bench.context()));
  });

  it('need credentials anew for another server', async () => {
    const bench = commandBench();
    const { channelId } = done(await addChannel(bench, { settings, secrets: [SECRET] }, bench.context()));
    const moved = { ...settings, baseUrl: 'https://other.example.com/v1' };
    expect(refused(await changeChannel(bench, { channelId, settings: moved }, bench.context())).param).to.equal('secrets');
    done(await changeChannel(bench, { channelId, settings: moved, secrets: ['sk-other-0123456789'] }, bench.context()));
    expect(bench.told().slice(-3)).to.deep.equal(['channel ChannelChanged', 'channel ChannelKeyRemoved', 'channel ChannelKeyAdded']);
  });

  it('are changed only as they were seen, when that is said', async () => {
    const bench = commandBench();
    const { channelId } = done(await addChannel(bench, { settings, secrets: [] }, bench.context()));
    expect(refused(await changeChannel(bench, { channelId, settings: { ...settings, name: 'x' } }, bench.context(), 7)).refused).to.equal(
      'revision_mismatch',
    );
    done(await changeChannel(bench, { channelId, settings: { ...settings, name: 'x' } }, bench.context(), 1));
  });
});

describe('testing a channel', () => {
  it('calls the upstream by its own name for the model, with a credential that is on, and records what came', async () => {
    const bench = commandBench();
    const { channelId } = done(await addChannel(bench, { settings, secrets: [SECRET] }, bench.context()));
    const { keyId } = done(await addChannelKey(bench, { channelId, secret: 'sk-second-0123456789' }, bench.context()));
    done(await testChannel(bench, { channelId }, bench.context()));
    const first = bench.eventsOf('channel').flatMap((event) => (event.type === 'ChannelKeyAdded' ? [event.data.keyId] : []))[0];
    if (first === undefined) return expect.fail('no key');
    done(await runChannelCommand(bench, channelId, { kind: 'disableKey', keyId: first, by: 'operator', reason: '' }, bench.context()));
    done(await testChannel(bench, { channelId, model: 'large' }, bench.context()));
    expect(bench.probe.calls).to.deep.equal([
      { credential: SECRET, upstreamModel: 'their-small' },
      { credential: 'sk-second-0123456789', upstreamModel: 'their-large' },
    ]);
    done(await runChannelCommand(bench, channelId, { kind: 'disableKey', keyId, by: 'operator', reason: '' }, bench.context()));
    expect(refused(await testChannel(bench, { channelId }, bench.context())).refused).to.equal('wrong_state');
  });

  it('decides the channel’s health', async () => {
    const bench = commandBench();
    const { channelId } = done(await addChannel(bench, { settings, secrets: [] }, bench.context()));
    done(await testChannel(bench, { channelId }, bench.context()));
    bench.probe.answer = { ok: false, latencyMs: 3, message: 'x'.repeat(2_000) };
    expect(done(await testChannel(bench, { channelId }, bench.context())).message).to.have.length(500);
    expect(bench.eventsOf('channel').flatMap((event) => (event.type === 'ChannelHealthChanged' ? [event.data.to] : []))).to.deep.equal([
      'healthy',
      'failing',
    ]);
    expect(bench.probe.calls.map(({ credential }) => credential)).to.deep.equal([null, null]);
  });

  it('is refused for a model that the channel does not map, and for no channel', async () => {
    const bench = commandBench();
    const { channelId } = done(await addChannel(bench, { settings, secrets: [] }, bench.context()));
    expect(refused(await testChannel(bench, { channelId, model: 'huge' }, bench.context())).param).to.equal('model');
    expect(refused(await testChannel(bench, { channelId: ChannelId.parse('chn_none') }, bench.context())).refused).to.equal('not_found');
  });
});

describe('the care of channels', () => {
  it('brings back what the platform took off once it works again, by one of all processes that look', async () => {
    const bench = commandBench();
    const { channelId } = done(await addChannel(bench, { settings, secrets: [SECRET] }, bench.context()));
    const inCare = async (): Promise<ChannelInCare> => {
      const channel = await readState(bench.log, channelStream(channelId), channelOf(channelId));
      const tested = bench.log.events.findLast(({ type }) => type === 'ChannelTested');
      return {
        channelId,
        settings: channel.settings ?? {},
        enabled: channel.enabled,
        disabledBy: channel.disabledBy,
        health: channel.health,
        keys: [...channel.keys].map(([keyId, { enabled, disabledBy }]) => ({ keyId, enabled, disabledBy })),
        lastTest: tested === undefined ? null : { testedAt: tested.metadata.occurredAt },
      };
    };
    const everybodyLooks = async (): Promise<{ tested: number; recovered: number }> => {
      const seen = await inCare();
      const reports = await Promise.all([1, 2, 3].map(() => careForChannels(bench, [seen])));
      expect(reports.flatMap(({ refused: each }) => each)).to.deep.equal([]);
      return {
        tested: reports.reduce((sum, { tested }) => sum + tested, 0),
        recovered: reports.reduce((sum, { recovered }) => sum + recovered.length, 0),
      };
    };
    expect(await everybodyLooks()).to.deep.equal({ tested: 0, recovered: 0 });

    const { keyId } = (await inCare()).keys[0] ?? expect.fail('no key');
    done(await runChannelCommand(bench, channelId, { kind: 'disableKey', keyId, by: 'platform', reason: 'HTTP 401' }, bench.context()));
    expect(await inCare()).to.include({ enabled: false, disabledBy: 'platform' });
    bench.probe.answer = { ok: false, latencyMs: 3, message: 'HTTP 401' };
    expect(await everybodyLooks()).to.deep.equal({ tested: 1, recovered: 0 });
    expect(await everybodyLooks()).to.deep.equal({ tested: 0, recovered: 0 });
    bench.pass(RECOVERY_MS);
    bench.probe.answer = { ok: true, latencyMs: 3, message: 'fine' };
    expect(await everybodyLooks()).to.deep.equal({ tested: 1, recovered: 1 });
    expect(await inCare()).to.deep.include({ enabled: true, disabledBy: null, health: 'healthy' });
    expect(bench.probe.calls.map(({ credential }) => credential)).to.deep.equal([SECRET, SECRET]);
    bench.pass(RECOVERY_MS);
    expect(await everybodyLooks()).to.deep.equal({ tested: 0, recovered: 0 });
  });

  it('says nothing of a channel by a key that is out of use beside others', async () => {
    const bench = commandBench();
    const { channelId } = done(await addChannel(bench, { settings, secrets: [SECRET, 'sk-second-0123456789'] }, bench.context()));
    const [keyId] = (await readState(bench.log, channelStream(channelId), channelOf(channelId))).keys.keys();
    if (keyId === undefined) return expect.fail('no key');
    done(await runChannelCommand(bench, channelId, { kind: 'disableKey', keyId, by: 'platform', reason: 'HTTP 401' }, bench.context()));
    bench.probe.answer = { ok: false, latencyMs: 3, message: 'HTTP 401' };
    done(await testChannel(bench, { channelId, keyId }, bench.context()));
    expect(bench.eventsOf('channel').filter(({ type }) => type === 'ChannelHealthChanged')).to.deep.equal([]);
    expect(bench.probe.calls).to.deep.equal([{ credential: SECRET, upstreamModel: 'their-small' }]);
  });
});

describe('the care of what is left at providers', () => {
  const MINUTE_MS = 60_000;
  const watched: ChannelSettings = {
    ...settings,
    provider: 'deepseek',
    balance: { everyMinutes: 30, warnBelow: '5', disableAtZero: true },
  };

  it('asks on time, by one of all processes that look, and records what is new', async () => {
    const bench = commandBench();
    const { channelId } = done(await addChannel(bench, { settings: watched, secrets: [SECRET] }, bench.context()));
    const asked: (string | null)[] = [];
    let left: { currency: string; amount: string } | { failed: string } = { currency: 'USD', amount: '20' };
    const balances = {
      ask: async (_settings: ChannelSettings, credential: string | null) => {
        asked.push(credential);
        return left;
      },
    };
    const sweepers = [1, 2, 3].map(() => new BalanceCare({ ...bench, balances }));
    const everybodyLooks = async (): Promise<readonly string[]> => {
      const { settings: now, enabled, disabledBy, keys } = await readState(bench.log, channelStream(channelId), channelOf(channelId));
      const seen = {
        ...{ channelId, settings: now ?? watched, enabled, disabledBy },
        keys: [...keys].map(([keyId, key]) => ({ keyId, enabled: key.enabled })),
      };
      const before = bench.eventsOf('channel').length;
      const reports = await Promise.all(sweepers.map((sweeper) => sweeper.round([seen])));
      return [
        ...bench
          .eventsOf('channel')
          .slice(before)
          .map(({ type }) => type),
        ...reports.flatMap(({ refused: each }) => each.map(({ refusal }) => refusal.refused)),
      ];
    };
    expect(await everybodyLooks()).to.deep.equal(['ChannelBalanceReported']);
    expect(await everybodyLooks()).to.deep.equal([]);
    bench.pass(29 * MINUTE_MS);
    expect(await everybodyLooks()).to.deep.equal([]);
    expect(asked).to.deep.equal([SECRET]);
    bench.pass(MINUTE_MS);
    expect(await everybodyLooks()).to.deep.equal([]);
    expect(asked).to.have.length(2);
    left = { failed: 'it answered with HTTP 500.' };
    bench.pass(30 * MINUTE_MS);
    expect(await everybodyLooks()).to.deep.equal(['upstream_failed']);
    left = { currency: 'USD', amount: '0' };
    bench.pass(30 * MINUTE_MS);
    expect(await everybodyLooks()).to.deep.equal(['ChannelBalanceReported', 'ChannelDisabled']);
    left = { currency: 'USD', amount: '50' };
    bench.pass(30 * MINUTE_MS);
    expect(await everybodyLooks()).to.deep.equal(['ChannelBalanceReported', 'ChannelEnabled']);
    expect(asked).to.have.length(5);
    // Nobody asks for a channel that an operator switched off.
    done(await runChannelCommand(bench, channelId, { kind: 'disable', by: 'operator', reason: '' }, bench.context()));
    bench.pass(30 * MINUTE_MS);
    expect(await everybodyLooks()).to.deep.equal([]);
    expect(asked).to.have.length(5);
  });
});
