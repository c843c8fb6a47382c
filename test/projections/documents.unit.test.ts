import { expect } from 'chai';
import { z } from 'zod';
import { channels } from '../../projections/channels/projection.ts';
import { foldDocument } from '../../projections/engine/document-rows.ts';
import { priceLists } from '../../projections/price-lists/projection.ts';
import { tokenLookup } from '../../projections/token-lookup/projection.ts';
import { users } from '../../projections/users/projection.ts';
import type { ChannelSettings } from '../../schemas/events/channel.ts';
import { UNRESTRICTED, type KeyHash } from '../../schemas/events/token.ts';
import type { ChannelId, ChannelKeyId, PriceListId, TokenId, UserId } from '../../schemas/ids.ts';
import type { Money } from '../../schemas/money.ts';
import { RATIO_ONE, type Ratio } from '../../schemas/price.ts';
import type { Sealed } from '../../schemas/sealed.ts';
import { given, instantOf, projected } from '../support/projection-spec.ts';

const userId = 'usr_1' as UserId;
const tokenId = 'key_1' as TokenId;
const channelId = 'chn_1' as ChannelId;
const keyId = 'chk_1' as ChannelKeyId;
const priceListId = 'prl_1' as PriceListId;
const secret = 'env1.0123456789abcdef.aa.bb' as Sealed;

describe('token-lookup', () => {
  const issued = {
    type: 'TokenIssued',
    data: {
      tokenId,
      userId,
      name: 'laptop',
      keyHash: 'a'.repeat(64) as KeyHash,
      keyPrefix: 'sk-obl-abcd',
      expiresAt: null,
      restrictions: UNRESTRICTED,
    },
  } as const;
  const fresh = {
    ...issued.data,
    disabled: false,
    revoked: false,
    exhausted: false,
    statusReason: null,
    createdAt: instantOf(0),
    revision: 0,
  };

  it('shows a key as it was issued', () => expect(given(tokenLookup, issued)).to.deep.equal({ key_1: fresh }));

  it('keeps what stands in its way apart, as the decider does', () => {
    const disabled = { type: 'TokenDisabled', data: { tokenId, reason: 'paused' } } as const;
    const revoked = { type: 'TokenRevoked', data: { tokenId, reason: 'lost' } } as const;
    const exhausted = { type: 'TokenExhausted', data: { tokenId } } as const;
    const restored = { type: 'TokenRestored', data: { tokenId } } as const;
    expect(given(tokenLookup, issued, disabled)['key_1']).to.deep.equal({ ...fresh, disabled: true, statusReason: 'paused', revision: 1 });
    expect(given(tokenLookup, issued, disabled, revoked)['key_1']).to.deep.equal({
      ...fresh,
      disabled: true,
      revoked: true,
      statusReason: 'lost',
      revision: 2,
    });
    expect(given(tokenLookup, issued, disabled, exhausted, revoked, restored)['key_1']).to.deep.include({
      disabled: true,
      revoked: false,
      exhausted: false,
    });
    expect(given(tokenLookup, issued, disabled, { type: 'TokenEnabled', data: { tokenId } })['key_1']).to.deep.equal({
      ...fresh,
      revision: 2,
    });
  });

  it('shows renewal and restriction', () => {
    const restrictions = { models: ['gpt-4o'], endpoints: null, addresses: ['10.0.0.0/8'] };
    const expiresAt = '2027-01-01T00:00:00.000Z';
    expect(
      given(
        tokenLookup,
        issued,
        { type: 'TokenRenewed', data: { tokenId, name: 'desk', expiresAt } },
        { type: 'TokenRestricted', data: { tokenId, restrictions } },
      )['key_1'],
    ).to.deep.equal({
      ...fresh,
      name: 'desk',
      expiresAt,
      restrictions,
      revision: 2,
    });
  });
});

describe('users', () => {
  const registered = {
    type: 'Registered',
    data: { userId, email: 'ann@example.com', displayName: 'Ann', role: 'user', group: 'default' },
  } as const;
  const fresh = {
    ...registered.data,
    suspended: false,
    suspendedReason: null,
    passwordHash: null,
    credentialsRevision: null,
    createdAt: instantOf(0),
    revision: 0,
  };

  it('shows who registered', () => expect(given(users, registered)).to.deep.equal({ usr_1: fresh }));

  it('remembers at which revision the credentials changed', () => {
    const changed = { type: 'CredentialsChanged', data: { userId, passwordHash: secret } } as const;
    expect(given(users, registered, changed)['usr_1']).to.deep.equal({
      ...fresh,
      passwordHash: secret,
      credentialsRevision: 1,
      revision: 1,
    });
    const later = given(
      users,
      registered,
      changed,
      { type: 'RoleAssigned', data: { userId, role: 'admin' } },
      { type: 'GroupAssigned', data: { userId, group: 'vip' } },
      changed,
    )['usr_1'];
    expect(later).to.deep.include({ role: 'admin', group: 'vip', credentialsRevision: 4 });
  });

  it('shows suspension and its end', () => {
    const suspended = { type: 'Suspended', data: { userId, reason: 'abuse' } } as const;
    expect(given(users, registered, suspended)['usr_1']).to.deep.equal({
      ...fresh,
      suspended: true,
      suspendedReason: 'abuse',
      revision: 1,
    });
    expect(given(users, registered, suspended, { type: 'Reinstated', data: { userId } })['usr_1']).to.deep.equal({ ...fresh, revision: 2 });
  });

  it('shows a profile that changed', () => {
    expect(
      given(users, registered, { type: 'ProfileChanged', data: { userId, email: 'new@example.com', displayName: 'Anna' } })['usr_1'],
    ).to.deep.include({ email: 'new@example.com', displayName: 'Anna' });
  });
});

describe('channels', () => {
  const settings: ChannelSettings = {
    name: 'main',
    provider: 'openai',
    baseUrl: 'https://api.example.com/v1',
    models: [{ model: 'm', upstreamModel: 'm' }],
    priority: 0,
    weight: 1,
    groups: null,
    costRatio: RATIO_ONE,
  };
  const added = { type: 'ChannelAdded', data: { channelId, settings } } as const;
  const keyAdded = { type: 'ChannelKeyAdded', data: { channelId, keyId, secret, hint: '…1234' } } as const;
  const enabled = { type: 'ChannelEnabled', data: { channelId } } as const;
  const key = { keyId, secret, hint: '…1234', enabled: true, disabledReason: null };

  it('shows a channel with its keys, the same settings object for as long as they stay', () => {
    const channel = given(channels, added, keyAdded, enabled)['chn_1'];
    expect(channel).to.deep.include({
      settings,
      enabled: true,
      keys: [key],
      health: 'unknown',
      removed: false,
      addedAt: instantOf(0),
      revision: 2,
    });
    expect(channel?.settings).to.equal(settings);
  });

  it('shows what became of a key', () => {
    const disabled = { type: 'ChannelKeyDisabled', data: { channelId, keyId, reason: 'refused' } } as const;
    expect(given(channels, added, keyAdded, disabled)['chn_1']?.keys).to.deep.equal([
      { ...key, enabled: false, disabledReason: 'refused' },
    ]);
    expect(
      given(channels, added, keyAdded, disabled, { type: 'ChannelKeyRestored', data: { channelId, keyId } })['chn_1']?.keys,
    ).to.deep.equal([key]);
    expect(given(channels, added, keyAdded, { type: 'ChannelKeyRemoved', data: { channelId, keyId } })['chn_1']?.keys).to.deep.equal([]);
  });

  it('shows health and tests with their times', () => {
    const channel = given(
      channels,
      added,
      { type: 'ChannelTested', data: { channelId, ok: false, model: 'm', latencyMs: 9, message: 'refused' } },
      { type: 'ChannelHealthChanged', data: { channelId, from: 'unknown', to: 'failing', reason: 'refused' } },
      { type: 'ChannelDisabled', data: { channelId, by: 'platform', reason: 'failing' } },
    )['chn_1'];
    expect(channel).to.deep.include({
      health: 'failing',
      healthReason: 'refused',
      healthSince: instantOf(2),
      disabledBy: 'platform',
      disabledReason: 'failing',
    });
    expect(channel?.lastTest).to.deep.equal({ ok: false, model: 'm', latencyMs: 9, message: 'refused', testedAt: instantOf(1) });
  });

  it('shows what is left at its provider, until it is another one', () => {
    const told = {
      type: 'ChannelBalanceReported',
      data: { channelId, currency: 'USD', amount: '4', isLow: true, fellBelow: '5' },
    } as const;
    expect(given(channels, added, told)['chn_1']?.balance).to.deep.equal({
      currency: 'USD',
      amount: '4',
      isLow: true,
      reportedAt: instantOf(1),
    });
    const renamed = { type: 'ChannelChanged', data: { channelId, settings: { ...settings, name: 'x' } } } as const;
    const moved = { type: 'ChannelChanged', data: { channelId, settings: { ...settings, provider: 'groq' } } } as const;
    expect(given(channels, added, told, renamed)['chn_1']).to.have.property('balance');
    expect(given(channels, added, told, moved)['chn_1']).to.not.have.property('balance');
  });

  it('keeps the name of a channel that was removed, and none of its keys', () => {
    expect(given(channels, added, keyAdded, enabled, { type: 'ChannelRemoved', data: { channelId } })['chn_1']).to.deep.include({
      settings,
      removed: true,
      enabled: false,
      keys: [],
    });
  });
});

describe('price-lists', () => {
  const models = [{ model: 'gpt-4o', kind: 'chat' as const, rates: { input: 2_500_000_000n as Money, output: 10_000_000_000n as Money } }];
  const published = {
    type: 'PriceListPublished',
    data: { priceListId, title: 'Spring', effectiveFrom: instantOf(5), asOf: '2026-01-01', source: 'a page', models },
  } as const;

  it('shows lists and ratios side by side', () => {
    const documents = given(
      priceLists,
      published,
      { type: 'GroupRatioSet', data: { group: 'vip', ratio: 800_000 as Ratio } },
      { type: 'PriceListWithdrawn', data: { priceListId, reason: 'wrong' } },
    );
    expect(documents).to.deep.equal({
      prl_1: { kind: 'list', ...published.data, withdrawn: true, publishedAt: instantOf(0), revision: 2 },
      'ratio:vip': { kind: 'ratio', group: 'vip', ratio: 800_000, revision: 1 },
    });
  });

  it('survives its JSON form, money included', () => {
    const doc = given(priceLists, published)['prl_1'];
    if (doc === undefined) throw new Error('there is a document');
    const json: unknown = JSON.parse(JSON.stringify(z.encode(priceLists.schema, doc)));
    expect(priceLists.schema.parse(json)).to.deep.equal(doc);
  });
});

describe('a document', () => {
  it('is not changed by an event that it shows already', () => {
    const [registered, changed] = projected(
      { type: 'Registered', data: { userId, email: 'a@example.com', displayName: 'A', role: 'user', group: 'default' } },
      { type: 'ProfileChanged', data: { userId, email: 'b@example.com', displayName: 'B' } },
    );
    if (registered === undefined || changed === undefined) throw new Error('two events');
    const now = foldDocument(users, foldDocument(users, undefined, registered), changed);
    expect(foldDocument(users, now, registered)).to.equal(now);
    expect(foldDocument(users, now, changed)).to.equal(now);
  });
});
