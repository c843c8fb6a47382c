import { refuse, type Refusal } from '../../schemas/errors.ts';
import type { ChannelEvent } from '../../schemas/events/catalogue.ts';
import type { ChannelHealth, ChannelSettings } from '../../schemas/events/channel.ts';
import type { ChannelId, ChannelKeyId, StreamName } from '../../schemas/ids.ts';
import type { Sealed } from '../../schemas/sealed.ts';
import type { Decider } from '../kernel/decider.ts';
import { streamName } from '../kernel/stream-name.ts';
import { providerOf } from '../providers/providers.ts';
import { balanceQuestion, isLess, type ReportedBalance } from '../providers/reported-balance.ts';
import { bodyRuleFault } from './body-rules.ts';
import { headerRuleFault } from './header-rules.ts';
import { cycleIn } from '../relay/model-mapping.ts';
import { upstreamOrigin } from './upstream-origin.ts';

export const channelStream = (channelId: ChannelId): StreamName => streamName('channel', channelId);

/** Most credentials that one channel keeps. */
const MOST_KEYS = 100;

export interface ChannelKey {
  readonly secret: Sealed;
  readonly enabled: boolean;
  /** Who took it out of use, where that is known. */
  readonly disabledBy: 'operator' | 'platform' | null;
}

export interface Channel {
  /** `null` before it was added and after it was removed. */
  readonly settings: ChannelSettings | null;
  readonly enabled: boolean;
  readonly disabledBy: 'operator' | 'platform' | null;
  readonly health: ChannelHealth;
  readonly failingModels: ReadonlySet<string>;
  readonly keys: ReadonlyMap<ChannelKeyId, ChannelKey>;
  /** What its provider said last is left; `null`: nothing yet. */
  readonly balance: (ReportedBalance & { readonly isLow: boolean }) | null;
}

const NO_MODELS: ReadonlySet<string> = new Set();

const initial: Channel = {
  settings: null,
  enabled: false,
  disabledBy: null,
  health: 'unknown',
  failingModels: NO_MODELS,
  keys: new Map(),
  balance: null,
};

const withKey = (state: Channel, keyId: ChannelKeyId, change: (key: ChannelKey) => ChannelKey): Channel => {
  const key = state.keys.get(keyId);
  return key === undefined ? state : { ...state, keys: new Map(state.keys).set(keyId, change(key)) };
};

/** Elsewhere there is another account. */
const isOfSameAccount = (before: ChannelSettings | null, after: ChannelSettings): boolean =>
  before?.provider === after.provider && before.baseUrl === after.baseUrl;

const evolve = (state: Channel, { type, data }: ChannelEvent): Channel => {
  switch (type) {
    case 'ChannelAdded':
      return { ...initial, settings: data.settings };
    case 'ChannelChanged':
      return {
        ...state,
        settings: data.settings,
        failingModels: NO_MODELS,
        balance: isOfSameAccount(state.settings, data.settings) ? state.balance : null,
      };
    case 'ChannelKeyAdded':
      return { ...state, keys: new Map(state.keys).set(data.keyId, { secret: data.secret, enabled: true, disabledBy: null }) };
    case 'ChannelKeyDisabled':
      return withKey(state, data.keyId, (key) => ({ ...key, enabled: false, disabledBy: data.by ?? null }));
    case 'ChannelKeyRestored':
      return withKey(state, data.keyId, (key) => ({ ...key, enabled: true, disabledBy: null }));
    case 'ChannelKeyRemoved':
      return { ...state, keys: new Map([...state.keys].filter(([keyId]) => keyId !== data.keyId)) };
    case 'ChannelEnabled':
      return { ...state, enabled: true, disabledBy: null, failingModels: NO_MODELS };
    case 'ChannelDisabled':
      return { ...state, enabled: false, disabledBy: data.by };
    case 'ChannelHealthChanged':
      return { ...state, health: data.to };
    case 'ChannelModelHealthChanged': {
      const failingModels = new Set(state.failingModels);
      if (data.to === 'failing') failingModels.add(data.model);
      else failingModels.delete(data.model);
      return { ...state, failingModels };
    }
    case 'ChannelTested':
    case 'ChannelModelsDiscovered':
      return state;
    case 'ChannelBalanceReported':
      return { ...state, balance: { currency: data.currency, amount: data.amount, isLow: data.isLow } };
    case 'ChannelRemoved':
      return initial;
  }
};

/** A credential on its way into the pool: sealed, with just enough of it left to tell it from its neighbours. */
export interface NewChannelKey {
  readonly keyId: ChannelKeyId;
  readonly secret: Sealed;
  readonly hint: string;
}

export type ChannelCommand =
  | { readonly kind: 'add'; readonly settings: ChannelSettings; readonly keys: readonly NewChannelKey[] }
  /** `keys` replaces the whole pool; absent leaves it. */
  | { readonly kind: 'change'; readonly settings: ChannelSettings; readonly keys?: readonly NewChannelKey[] }
  | { readonly kind: 'addKey'; readonly key: NewChannelKey }
  | { readonly kind: 'disableKey'; readonly keyId: ChannelKeyId; readonly by: 'operator' | 'platform'; readonly reason: string }
  | { readonly kind: 'restoreKey'; readonly keyId: ChannelKeyId }
  | { readonly kind: 'removeKey'; readonly keyId: ChannelKeyId }
  | { readonly kind: 'enable' }
  | { readonly kind: 'disable'; readonly by: 'operator' | 'platform'; readonly reason: string }
  | { readonly kind: 'changeHealth'; readonly to: ChannelHealth; readonly reason: string }
  | { readonly kind: 'changeModelHealth'; readonly model: string; readonly to: 'healthy' | 'failing'; readonly reason: string }
  /** A test has shown that a key works again, or the channel without one. Puts back what the platform took off, and nothing else. */
  | { readonly kind: 'recover'; readonly keyId: ChannelKeyId | null }
  | { readonly kind: 'reportBalance'; readonly balance: ReportedBalance }
  | { readonly kind: 'recordModels'; readonly models: readonly string[] }
  | {
      readonly kind: 'recordTest';
      readonly ok: boolean;
      readonly model: string;
      readonly latencyMs: number;
      readonly message: string;
      /** Which key it was made with, where that was asked for. */
      readonly keyId?: ChannelKeyId;
    }
  | { readonly kind: 'remove' };

const rulesAtFault = ({ provider, bodyRules = [], headerRules = [] }: ChannelSettings): Refusal | null => {
  for (const [index, rule] of bodyRules.entries()) {
    const fault = bodyRuleFault(rule);
    if (fault !== null) return refuse('invalid_request', `${fault}.`, { param: `settings.bodyRules.${index}` });
  }
  const auth = providerOf(provider)?.auth;
  for (const [index, rule] of headerRules.entries()) {
    const fault = headerRuleFault(rule, auth?.kind === 'header' ? auth.name : null);
    if (fault !== null) return refuse('invalid_request', `${fault}.`, { param: `settings.headerRules.${index}` });
  }
  return null;
};

const settingsAtFault = (settings: ChannelSettings): Refusal | null => {
  const { provider, baseUrl, models } = settings;
  if (providerOf(provider) === undefined)
    return refuse('invalid_request', `The provider "${provider}" is not known here.`, { param: 'settings.provider' });
  if (upstreamOrigin(baseUrl) === null) {
    return refuse(
      'invalid_request',
      'The base URL must be http or https, without credentials, query, fragment, braces or trailing slash, such as https://api.openai.com/v1.',
      { param: 'settings.baseUrl' },
    );
  }
  if (settings.balance !== undefined && balanceQuestion(provider) === null)
    return refuse('invalid_request', 'This provider has no address that tells what is left.', { param: 'settings.balance' });
  const seen = new Set<string>();
  for (const [index, { model }] of models.entries()) {
    if (seen.has(model)) return refuse('invalid_request', `The model ${model} is mapped twice.`, { param: `settings.models.${index}` });
    seen.add(model);
    for (const name of ['model', 'upstreamModel'] as const)
      if ((models[index]?.[name] ?? '').split('*').length > 2)
        return refuse('invalid_request', 'A name has at most one *.', { param: `settings.models.${index}.${name}` });
    if (models[index]?.upstreamModel.includes('*') === true && !model.includes('*'))
      return refuse('invalid_request', `What the * in the upstream's name of ${model} stands for is not said.`, {
        param: `settings.models.${index}.upstreamModel`,
      });
  }
  const cycle = cycleIn(models);
  if (cycle !== null)
    return refuse('invalid_request', `The mapping of the model ${cycle} leads back to itself.`, { param: 'settings.models' });
  return rulesAtFault(settings);
};

const tooManyKeys = (count: number): Refusal | null =>
  count > MOST_KEYS ? refuse('invalid_request', `A channel keeps at most ${MOST_KEYS} keys.`, { param: 'secrets' }) : null;

const keysAdded = (channelId: ChannelId, keys: readonly NewChannelKey[]): ChannelEvent[] =>
  keys.map(({ keyId, secret, hint }) => ({ type: 'ChannelKeyAdded', data: { channelId, keyId, secret, hint } }));

const sameSettings = (a: ChannelSettings, b: ChannelSettings): boolean => JSON.stringify(a) === JSON.stringify(b);

const change = (
  command: Extract<ChannelCommand, { kind: 'change' }>,
  state: Channel,
  before: ChannelSettings,
  channelId: ChannelId,
): readonly ChannelEvent[] | Refusal => {
  const fault = settingsAtFault(command.settings) ?? tooManyKeys(command.keys?.length ?? 0);
  if (fault !== null) return fault;
  if (command.keys === undefined && state.keys.size > 0 && upstreamOrigin(command.settings.baseUrl) !== upstreamOrigin(before.baseUrl)) {
    return refuse(
      'invalid_request',
      'The base URL now points to another server. Enter the keys for it: those of the old one are not sent there.',
      { param: 'secrets' },
    );
  }
  const events: ChannelEvent[] = sameSettings(before, command.settings)
    ? []
    : [{ type: 'ChannelChanged', data: { channelId, settings: command.settings } }];
  if (command.keys !== undefined) {
    for (const keyId of state.keys.keys()) events.push({ type: 'ChannelKeyRemoved', data: { channelId, keyId } });
    events.push(...keysAdded(channelId, command.keys));
  }
  if (events.length > 0 && state.health !== 'unknown')
    events.push({
      type: 'ChannelHealthChanged',
      data: { channelId, from: state.health, to: 'unknown', reason: 'The channel was changed.' },
    });
  return events;
};

/** A channel that the platform has left without a key is off: that is what people are told, and what a test brings back. */
const keyDisabled = (
  { keyId, by, reason }: Extract<ChannelCommand, { kind: 'disableKey' }>,
  state: Channel,
  key: ChannelKey,
  channelId: ChannelId,
): readonly ChannelEvent[] => {
  // An operator's word stands above the platform's, for keys as for channels.
  if (!key.enabled && !(by === 'operator' && key.disabledBy === 'platform')) return [];
  const disabled: ChannelEvent = { type: 'ChannelKeyDisabled', data: { channelId, keyId, reason, by } };
  const others = [...state.keys].some(([otherId, other]) => otherId !== keyId && other.enabled);
  return by === 'platform' && state.enabled && !others
    ? [disabled, { type: 'ChannelDisabled', data: { channelId, by, reason: `No key is left: ${reason}`.slice(0, 500) } }]
    : [disabled];
};

/** A key that an operator brings ends what the lack of one began. */
const enabledByKey = (state: Channel, channelId: ChannelId): readonly ChannelEvent[] =>
  state.disabledBy === 'platform' && [...state.keys.values()].every(({ enabled }) => !enabled)
    ? [{ type: 'ChannelEnabled', data: { channelId } }]
    : [];

const isSpent = ({ amount }: ReportedBalance): boolean => !isLess('0', amount);

/** A test that succeeds does not say that there is anything left to spend. */
const isHeldBySpentAccount = ({ settings, balance }: Channel): boolean =>
  settings?.balance?.disableAtZero === true && balance !== null && isSpent(balance);

const balanceReported = (
  balance: ReportedBalance,
  state: Channel,
  { balance: care }: ChannelSettings,
  channelId: ChannelId,
): readonly ChannelEvent[] => {
  const { currency, amount } = balance;
  const warnBelow = care?.warnBelow;
  const isLow = warnBelow !== undefined && isLess(amount, warnBelow);
  const before = state.balance;
  const events: ChannelEvent[] = [];
  if (before?.currency !== currency || before.amount !== amount || before.isLow !== isLow) {
    const fellBelow = isLow && before?.isLow !== true ? { fellBelow: warnBelow } : {};
    events.push({ type: 'ChannelBalanceReported', data: { channelId, currency, amount, isLow, ...fellBelow } });
  }
  if (care?.disableAtZero !== true) return events;
  if (isSpent(balance)) {
    const reason = `Nothing is left of the account at the provider: ${amount} ${currency}.`;
    if (state.enabled) events.push({ type: 'ChannelDisabled', data: { channelId, by: 'platform', reason } });
    return events;
  }
  const canBeCalled = state.keys.size === 0 || [...state.keys.values()].some(({ enabled }) => enabled);
  if (before !== null && isSpent(before) && state.disabledBy === 'platform' && canBeCalled)
    events.push({ type: 'ChannelEnabled', data: { channelId } });
  return events;
};

const recovered = (keyId: ChannelKeyId | null, state: Channel, channelId: ChannelId): readonly ChannelEvent[] => {
  const events: ChannelEvent[] = [];
  if (keyId !== null && state.keys.get(keyId)?.disabledBy === 'platform')
    events.push({ type: 'ChannelKeyRestored', data: { channelId, keyId } });
  if (state.disabledBy === 'platform' && !isHeldBySpentAccount(state)) {
    events.push({ type: 'ChannelEnabled', data: { channelId } });
    if (state.health !== 'healthy')
      events.push({ type: 'ChannelHealthChanged', data: { channelId, from: state.health, to: 'healthy', reason: 'A test succeeded.' } });
  }
  return events;
};

const decide = (command: ChannelCommand, state: Channel, channelId: ChannelId): readonly ChannelEvent[] | Refusal => {
  if (command.kind === 'add') {
    if (state.settings !== null) return refuse('already_exists', 'This channel has been added already.');
    return (
      settingsAtFault(command.settings) ??
      tooManyKeys(command.keys.length) ?? [
        { type: 'ChannelAdded', data: { channelId, settings: command.settings } },
        ...keysAdded(channelId, command.keys),
        { type: 'ChannelEnabled', data: { channelId } },
      ]
    );
  }
  if (state.settings === null) return refuse('not_found', 'There is no such channel.');
  const healthTo = (to: ChannelHealth, reason: string): readonly ChannelEvent[] =>
    state.health === to ? [] : [{ type: 'ChannelHealthChanged', data: { channelId, from: state.health, to, reason } }];

  switch (command.kind) {
    case 'change':
      return change(command, state, state.settings, channelId);
    case 'addKey':
      if (state.keys.has(command.key.keyId)) return refuse('already_exists', 'This key has been added already.');
      return tooManyKeys(state.keys.size + 1) ?? [...keysAdded(channelId, [command.key]), ...enabledByKey(state, channelId)];
    case 'disableKey':
    case 'restoreKey':
    case 'removeKey': {
      const key = state.keys.get(command.keyId);
      if (key === undefined) return refuse('not_found', 'The channel has no such key.');
      if (command.kind === 'removeKey') return [{ type: 'ChannelKeyRemoved', data: { channelId, keyId: command.keyId } }];
      if (command.kind === 'restoreKey')
        return key.enabled
          ? []
          : [{ type: 'ChannelKeyRestored', data: { channelId, keyId: command.keyId } }, ...enabledByKey(state, channelId)];
      return keyDisabled(command, state, key, channelId);
    }
    case 'enable':
      return state.enabled ? [] : [{ type: 'ChannelEnabled', data: { channelId } }, ...healthTo('unknown', 'The channel was enabled.')];
    case 'disable':
      // An operator's word stands above the platform's, which puts back on only what it took off itself.
      return state.enabled || (command.by === 'operator' && state.disabledBy === 'platform')
        ? [{ type: 'ChannelDisabled', data: { channelId, by: command.by, reason: command.reason } }]
        : [];
    case 'changeHealth':
      return healthTo(command.to, command.reason);
    case 'changeModelHealth': {
      const { model, to, reason } = command;
      return state.failingModels.has(model) === (to === 'failing')
        ? []
        : [{ type: 'ChannelModelHealthChanged', data: { channelId, model, to, reason } }];
    }
    case 'reportBalance':
      return balanceReported(command.balance, state, state.settings, channelId);
    case 'recordModels':
      return [{ type: 'ChannelModelsDiscovered', data: { channelId, models: [...command.models] } }];
    case 'recover':
      return recovered(command.keyId, state, channelId);
    case 'recordTest': {
      const { ok, model, latencyMs, message, keyId } = command;
      const tested: ChannelEvent = {
        type: 'ChannelTested',
        data: { channelId, ok, model, latencyMs, message, ...(keyId === undefined ? {} : { keyId }) },
      };
      // A key that is out of use says nothing of those that are in use.
      if (keyId !== undefined && state.keys.get(keyId)?.enabled === false && [...state.keys.values()].some(({ enabled }) => enabled))
        return [tested];
      return [tested, ...healthTo(ok ? 'healthy' : 'failing', ok ? 'A test succeeded.' : message)];
    }
    case 'remove':
      return [{ type: 'ChannelRemoved', data: { channelId } }];
  }
};

/** One way to an upstream, with its pool of credentials. */
export const channelOf = (channelId: ChannelId): Decider<Channel, ChannelCommand, ChannelEvent> => ({
  initial,
  evolve,
  decide: (command, state) => decide(command, state, channelId),
});
