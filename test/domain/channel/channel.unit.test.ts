import { expect } from 'chai';
import { channelOf, type NewChannelKey } from '../../../domain/channel/channel.ts';
import { upstreamOrigin } from '../../../domain/channel/upstream-origin.ts';
import type { ChannelEvent } from '../../../schemas/events/catalogue.ts';
import type { ChannelSettings } from '../../../schemas/events/channel.ts';
import { ChannelId, ChannelKeyId } from '../../../schemas/ids.ts';
import { RATIO_ONE } from '../../../schemas/price.ts';
import { Sealed } from '../../../schemas/sealed.ts';
import { given } from '../../support/decider-spec.ts';

const channelId = ChannelId.parse('chn_1');
const channel = channelOf(channelId);
const key = (name: string): NewChannelKey => ({
  keyId: ChannelKeyId.parse(`chk_${name}`),
  secret: Sealed.parse('env1.0123456789abcdef.d2s.Y3Q'),
  hint: `…${name}`,
});
const settings: ChannelSettings = {
  name: 'OpenAI',
  provider: 'openai',
  baseUrl: 'https://api.openai.com/v1',
  models: [{ model: 'gpt-4o', upstreamModel: 'gpt-4o' }],
  priority: 0,
  weight: 1,
  groups: null,
  costRatio: RATIO_ONE,
};
const added: ChannelEvent = { type: 'ChannelAdded', data: { channelId, settings } };
const keyAdded = (name: string): ChannelEvent => ({ type: 'ChannelKeyAdded', data: { channelId, ...key(name) } });
const enabled: ChannelEvent = { type: 'ChannelEnabled', data: { channelId } };
const disabled = (by: 'operator' | 'platform'): ChannelEvent => ({ type: 'ChannelDisabled', data: { channelId, by, reason: 'r' } });
const health = (from: 'unknown' | 'healthy' | 'failing', to: 'unknown' | 'healthy' | 'failing', reason: string): ChannelEvent => ({
  type: 'ChannelHealthChanged',
  data: { channelId, from, to, reason },
});
const there: readonly ChannelEvent[] = [added, keyAdded('a'), keyAdded('b'), enabled];

describe('channel', () => {
  it('is added with its keys and is on from then', () => {
    given(channel)
      .when({ kind: 'add', settings, keys: [key('a'), key('b')] })
      .then(...there);
    given(channel, ...there)
      .when({ kind: 'add', settings, keys: [] })
      .refuses('already_exists');
  });

  it('refuses a provider that nobody knows', () => {
    given(channel)
      .when({ kind: 'add', settings: { ...settings, provider: 'nobody' }, keys: [] })
      .refuses('invalid_request');
  });

  it('refuses a base URL that is not a plain one, a model mapped twice, and too many keys', () => {
    for (const baseUrl of [
      'https://user:pw@api.example.com/v1',
      'https://api.example.com/v1/',
      'https://api.example.com/v1?x=1',
      'https://api.example.com/v1#x',
      'ftp://api.example.com',
      'no url',
    ]) {
      given(channel)
        .when({ kind: 'add', settings: { ...settings, baseUrl }, keys: [] })
        .refuses('invalid_request');
    }
    given(channel)
      .when({ kind: 'add', settings: { ...settings, models: [...settings.models, { model: 'gpt-4o', upstreamModel: 'other' }] }, keys: [] })
      .refuses('invalid_request');
    given(channel)
      .when({ kind: 'add', settings, keys: Array.from({ length: 101 }, (_, index) => key(`k${index}`)) })
      .refuses('invalid_request');
  });

  it('does not exist before it is added and after it is removed', () => {
    for (const history of [[], [...there, { type: 'ChannelRemoved', data: { channelId } } satisfies ChannelEvent]]) {
      given(channel, ...history)
        .when({ kind: 'change', settings })
        .refuses('not_found');
      given(channel, ...history)
        .when({ kind: 'addKey', key: key('c') })
        .refuses('not_found');
      given(channel, ...history)
        .when({ kind: 'enable' })
        .refuses('not_found');
      given(channel, ...history)
        .when({ kind: 'remove' })
        .refuses('not_found');
      given(channel, ...history)
        .when({ kind: 'recordTest', ok: true, model: 'm', latencyMs: 1, message: '' })
        .refuses('not_found');
    }
  });

  it('is changed, and its health is unknown again', () => {
    const changed = { ...settings, name: 'Renamed' };
    given(channel, ...there)
      .when({ kind: 'change', settings: changed })
      .then({ type: 'ChannelChanged', data: { channelId, settings: changed } });
    given(channel, ...there, health('unknown', 'failing', 'x'))
      .when({ kind: 'change', settings: changed })
      .then({ type: 'ChannelChanged', data: { channelId, settings: changed } }, health('failing', 'unknown', 'The channel was changed.'));
    given(channel, ...there)
      .when({ kind: 'change', settings: { ...settings } })
      .changesNothing();
  });

  it('never lets keys go to another server than they were entered for', () => {
    const moved = { ...settings, baseUrl: 'https://evil.example.com/v1' };
    given(channel, ...there)
      .when({ kind: 'change', settings: moved })
      .refuses('invalid_request');
    given(channel, ...there)
      .when({ kind: 'change', settings: { ...settings, baseUrl: 'http://api.openai.com/v1' } })
      .refuses('invalid_request');
    given(channel, ...there)
      .when({ kind: 'change', settings: { ...settings, baseUrl: 'https://api.openai.com:8443/v1' } })
      .refuses('invalid_request');
    given(channel, ...there)
      .when({ kind: 'change', settings: moved, keys: [key('c')] })
      .then(
        { type: 'ChannelChanged', data: { channelId, settings: moved } },
        { type: 'ChannelKeyRemoved', data: { channelId, keyId: key('a').keyId } },
        { type: 'ChannelKeyRemoved', data: { channelId, keyId: key('b').keyId } },
        keyAdded('c'),
      );
    const sameServer = { ...settings, baseUrl: 'https://api.openai.com/v2' };
    given(channel, ...there)
      .when({ kind: 'change', settings: sameServer })
      .then({ type: 'ChannelChanged', data: { channelId, settings: sameServer } });
    given(channel, added, enabled)
      .when({ kind: 'change', settings: moved })
      .then({ type: 'ChannelChanged', data: { channelId, settings: moved } });
  });

  it('keeps a pool of keys', () => {
    const { keyId } = key('a');
    given(channel, ...there)
      .when({ kind: 'addKey', key: key('c') })
      .then(keyAdded('c'));
    given(channel, ...there)
      .when({ kind: 'addKey', key: key('a') })
      .refuses('already_exists');
    given(channel, ...there)
      .when({ kind: 'disableKey', keyId, by: 'operator', reason: 'quota' })
      .then({ type: 'ChannelKeyDisabled', data: { channelId, keyId, reason: 'quota', by: 'operator' } });
    given(channel, ...there, { type: 'ChannelKeyDisabled', data: { channelId, keyId, reason: '' } })
      .when({ kind: 'disableKey', keyId, by: 'operator', reason: '' })
      .changesNothing();
    given(channel, ...there, { type: 'ChannelKeyDisabled', data: { channelId, keyId, reason: '' } })
      .when({ kind: 'restoreKey', keyId })
      .then({ type: 'ChannelKeyRestored', data: { channelId, keyId } });
    given(channel, ...there)
      .when({ kind: 'restoreKey', keyId })
      .changesNothing();
    given(channel, ...there)
      .when({ kind: 'removeKey', keyId })
      .then({ type: 'ChannelKeyRemoved', data: { channelId, keyId } });
    given(channel, ...there, { type: 'ChannelKeyRemoved', data: { channelId, keyId } })
      .when({ kind: 'removeKey', keyId })
      .refuses('not_found');
    given(channel, ...there)
      .when({ kind: 'disableKey', keyId: key('z').keyId, by: 'operator', reason: '' })
      .refuses('not_found');
  });

  const keyDisabled = (name: string, by: 'operator' | 'platform', reason = 'HTTP 401'): ChannelEvent => ({
    type: 'ChannelKeyDisabled',
    data: { channelId, keyId: key(name).keyId, reason, by },
  });
  const keyRestored = (name: string): ChannelEvent => ({ type: 'ChannelKeyRestored', data: { channelId, keyId: key(name).keyId } });
  const noKeyLeft: ChannelEvent = { type: 'ChannelDisabled', data: { channelId, by: 'platform', reason: 'No key is left: HTTP 401' } };

  it('goes off with the last key that the platform takes, and comes back with the first that is brought', () => {
    const take = (name: string) => ({ kind: 'disableKey', keyId: key(name).keyId, by: 'platform', reason: 'HTTP 401' }) as const;
    given(channel, ...there)
      .when(take('a'))
      .then(keyDisabled('a', 'platform'));
    given(channel, ...there, keyDisabled('a', 'platform'))
      .when(take('b'))
      .then(keyDisabled('b', 'platform'), noKeyLeft);
    const without = [...there, keyDisabled('a', 'platform'), keyDisabled('b', 'platform'), noKeyLeft];
    given(channel, ...without)
      .when({ kind: 'restoreKey', keyId: key('a').keyId })
      .then(keyRestored('a'), enabled);
    given(channel, ...without)
      .when({ kind: 'addKey', key: key('c') })
      .then(keyAdded('c'), enabled);
    given(channel, ...there, keyDisabled('a', 'operator', ''))
      .when({ kind: 'disableKey', keyId: key('b').keyId, by: 'operator', reason: '' })
      .then(keyDisabled('b', 'operator', ''));
  });

  it('recovers by a test what the platform took off, and nothing that an operator did', () => {
    const recover = { kind: 'recover', keyId: key('a').keyId } as const;
    given(channel, ...there, keyDisabled('a', 'platform'), keyDisabled('b', 'platform'), noKeyLeft)
      .when(recover)
      .then(keyRestored('a'), enabled, health('unknown', 'healthy', 'A test succeeded.'));
    given(channel, ...there, keyDisabled('a', 'operator'), disabled('operator'))
      .when(recover)
      .changesNothing();
    given(channel, ...there, keyDisabled('a', 'platform'), keyDisabled('a', 'operator'))
      .when(recover)
      .changesNothing();
    given(channel, ...there, disabled('platform'))
      .when({ kind: 'recover', keyId: null })
      .then(enabled, health('unknown', 'healthy', 'A test succeeded.'));
  });

  describe('whose provider says what is left', () => {
    const withCare = (balance: NonNullable<ChannelSettings['balance']>): ChannelEvent => ({
      type: 'ChannelAdded',
      data: { channelId, settings: { ...settings, provider: 'deepseek', balance } },
    });
    const told = (amount: string, isLow: boolean, fellBelow?: string): ChannelEvent => ({
      type: 'ChannelBalanceReported',
      data: { channelId, currency: 'USD', amount, isLow, ...(fellBelow === undefined ? {} : { fellBelow }) },
    });
    const report = (amount: string) => ({ kind: 'reportBalance', balance: { currency: 'USD', amount } }) as const;
    const watched = [withCare({ everyMinutes: 60, warnBelow: '5' }), keyAdded('a'), enabled];

    it('records what is new of it, and each fall below what is to be warned of', () => {
      given(channel, ...watched)
        .when(report('5.00'))
        .then(told('5.00', false));
      given(channel, ...watched, told('5.00', false))
        .when(report('5.00'))
        .changesNothing();
      given(channel, ...watched, told('5.00', false))
        .when(report('4.99'))
        .then(told('4.99', true, '5'));
      given(channel, ...watched, told('4.99', true, '5'))
        .when(report('-3'))
        .then(told('-3', true));
      given(channel, ...watched, told('-3', true))
        .when(report('20'))
        .then(told('20', false));
      given(channel, ...watched)
        .when(report('1'))
        .then(told('1', true, '5'));
      // Another threshold is another question.
      given(channel, ...watched, told('1', true, '5'), {
        type: 'ChannelChanged',
        data: { channelId, settings: { ...settings, provider: 'deepseek' } },
      })
        .when(report('1'))
        .then(told('1', false));
    });

    it('is taken out of use at zero where that is wanted, and put back by nothing but a balance', () => {
      const strict = [withCare({ everyMinutes: 60, disableAtZero: true }), keyAdded('a'), enabled];
      const off: ChannelEvent = {
        type: 'ChannelDisabled',
        data: { channelId, by: 'platform', reason: 'Nothing is left of the account at the provider: 0.00 USD.' },
      };
      given(channel, ...strict)
        .when(report('0.00'))
        .then(told('0.00', false), off);
      given(channel, ...watched)
        .when(report('0'))
        .then(told('0', true, '5'));
      given(channel, ...strict, told('0.00', false), off)
        .when(report('0.00'))
        .changesNothing();
      given(channel, ...strict, told('0.00', false), off)
        .when({ kind: 'recover', keyId: null })
        .changesNothing();
      given(channel, ...strict, told('0.00', false), off)
        .when(report('7'))
        .then(told('7', false), enabled);
      given(channel, ...strict, told('0.00', false), disabled('operator'))
        .when(report('7'))
        .then(told('7', false));
      given(channel, ...strict, told('0.00', false), off, {
        type: 'ChannelKeyDisabled',
        data: { channelId, keyId: key('a').keyId, reason: 'HTTP 401', by: 'platform' },
      })
        .when(report('7'))
        .then(told('7', false));
      // Whoever puts it on by hand without paying is told again.
      given(channel, ...strict, told('0.00', false), off, enabled)
        .when(report('0.00'))
        .then(off);
    });

    it('is refused where its provider cannot be asked', () => {
      given(channel)
        .when({ kind: 'add', settings: { ...settings, balance: { everyMinutes: 60 } }, keys: [] })
        .refuses('invalid_request');
    });
  });

  it('records which of its models fail, until it is changed', () => {
    const modelHealth = (to: 'failing' | 'healthy'): ChannelEvent => ({
      type: 'ChannelModelHealthChanged',
      data: { channelId, model: 'gpt-4o', to, reason: 'x' },
    });
    const tell = (to: 'failing' | 'healthy') => ({ kind: 'changeModelHealth', model: 'gpt-4o', to, reason: 'x' }) as const;
    given(channel, ...there)
      .when(tell('failing'))
      .then(modelHealth('failing'));
    given(channel, ...there, modelHealth('failing'))
      .when(tell('failing'))
      .changesNothing();
    given(channel, ...there, modelHealth('failing'))
      .when(tell('healthy'))
      .then(modelHealth('healthy'));
    given(channel, ...there, modelHealth('failing'), { type: 'ChannelChanged', data: { channelId, settings } })
      .when(tell('healthy'))
      .changesNothing();
  });

  it('takes no mappings that lead nowhere', () => {
    const mapped = (...models: readonly (readonly [string, string])[]) => ({
      kind: 'change' as const,
      settings: { ...settings, models: models.map(([model, upstreamModel]) => ({ model, upstreamModel })) },
    });
    for (const wrong of [mapped(['a', 'b'], ['b', 'a']), mapped(['a**', 'b']), mapped(['a', 'b*']), mapped(['a*', 'b**'])])
      given(channel, ...there)
        .when(wrong)
        .refuses('invalid_request');
    const right = mapped(['a', 'b'], ['b', 'c'], ['gpt-*', 'x-*'], ['*', 'one']);
    given(channel, ...there)
      .when(right)
      .then({ type: 'ChannelChanged', data: { channelId, settings: right.settings } });
  });

  it('is switched off by an operator above the platform, and comes back with its health unknown', () => {
    given(channel, ...there)
      .when({ kind: 'disable', by: 'platform', reason: 'r' })
      .then(disabled('platform'));
    given(channel, ...there, disabled('platform'))
      .when({ kind: 'disable', by: 'operator', reason: 'r' })
      .then(disabled('operator'));
    given(channel, ...there, disabled('operator'))
      .when({ kind: 'disable', by: 'platform', reason: 'r' })
      .changesNothing();
    given(channel, ...there, disabled('operator'))
      .when({ kind: 'enable' })
      .then(enabled);
    given(channel, ...there, health('unknown', 'failing', 'x'), disabled('platform'))
      .when({ kind: 'enable' })
      .then(enabled, health('failing', 'unknown', 'The channel was enabled.'));
    given(channel, ...there)
      .when({ kind: 'enable' })
      .changesNothing();
  });

  it('records health when it changes, and what a test says of it', () => {
    given(channel, ...there)
      .when({ kind: 'changeHealth', to: 'failing', reason: '5 failures' })
      .then(health('unknown', 'failing', '5 failures'));
    given(channel, ...there, health('unknown', 'failing', 'x'))
      .when({ kind: 'changeHealth', to: 'failing', reason: 'y' })
      .changesNothing();
    const test = { model: 'gpt-4o', latencyMs: 12, message: 'fine' };
    given(channel, ...there)
      .when({ kind: 'recordTest', ok: true, ...test })
      .then({ type: 'ChannelTested', data: { channelId, ok: true, ...test } }, health('unknown', 'healthy', 'A test succeeded.'));
    given(channel, ...there, health('unknown', 'healthy', 'x'))
      .when({ kind: 'recordTest', ok: true, ...test })
      .then({ type: 'ChannelTested', data: { channelId, ok: true, ...test } });
    given(channel, ...there)
      .when({ kind: 'recordTest', ok: false, ...test })
      .then({ type: 'ChannelTested', data: { channelId, ok: false, ...test } }, health('unknown', 'failing', 'fine'));
  });

  it('forgets its keys when it is removed', () => {
    given(channel, ...there)
      .when({ kind: 'remove' })
      .leaves((state) => {
        expect(state.settings).to.equal(null);
        expect(state.keys.size).to.equal(0);
      });
  });
});

describe('upstream origin', () => {
  it('tells servers apart by scheme, host and port', () => {
    expect(upstreamOrigin('https://API.openai.com:443/v1')).to.equal('https://api.openai.com');
    expect(upstreamOrigin('http://127.0.0.1:8080')).to.equal('http://127.0.0.1:8080');
  });
});
