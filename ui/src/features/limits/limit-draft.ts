import type { LimitDimension, LimitMeasure, LimitRule } from '../../api/limits.ts';
import { looksLikeAddress } from '../../lib/address-shape.ts';
import { parseDollars, toDollarsField } from '../../lib/money.ts';
import { namesIn, printNames } from '../../lib/name-list.ts';

export const MEASURES = [
  'requests',
  'tokens',
  'inputTokens',
  'outputTokens',
  'money',
  'inFlight',
] as const satisfies readonly LimitMeasure[];
export const WINDOWS = ['second', 'minute', 'hour', 'day', 'month'] as const;
export const ALGORITHMS = ['slidingWindow', 'tokenBucket', 'leakyBucket'] as const;
export const DIMENSIONS = ['key', 'user', 'ip', 'group', 'model'] as const satisfies readonly LimitDimension[];
export const SCOPES = ['groups', 'models', 'users', 'keys', 'addresses'] as const;
export const ACTIONS = ['refuse', 'wait', 'model'] as const;
export type Scope = (typeof SCOPES)[number];
const MOST = 1_000_000_000_000;
/** Money is counted in micro-dollars, and so is the burst of a rule for it. */
const NANO_PER_MICRO = 1_000n;
const MOST_PER = 3;
const MOST_STARS = 4;

/** A rule as it stands in a form: text as typed. Money in dollars, times in seconds. */
export interface LimitDraft {
  id: string;
  name: string;
  enabled: boolean;
  per: LimitDimension[];
  scope: Record<Scope, string>;
  measure: LimitMeasure;
  amount: string;
  window: (typeof WINDOWS)[number];
  algorithm: (typeof ALGORITHMS)[number];
  burst: string;
  action: (typeof ACTIONS)[number];
  message: string;
  mostWaiting: string;
  longestSeconds: string;
  model: string;
}

export type LimitField = 'id' | 'name' | 'per' | 'amount' | 'burst' | 'message' | 'mostWaiting' | 'longestSeconds' | 'model' | Scope;
/** Keys of messages under `limits.form.errors`, or sentences of the server's. */
export type LimitDraftErrors = Partial<Record<LimitField, string>>;

export const emptyLimitDraft = (): LimitDraft => ({
  id: '',
  name: '',
  enabled: true,
  per: ['user'],
  scope: { groups: '', models: '', users: '', keys: '', addresses: '' },
  measure: 'requests',
  amount: '',
  window: 'minute',
  algorithm: 'slidingWindow',
  burst: '',
  action: 'refuse',
  message: '',
  mostWaiting: '100',
  longestSeconds: '30',
  model: '',
});

export const limitDraftOf = (rule: LimitRule): LimitDraft => {
  const draft = emptyLimitDraft();
  const { scope = {}, action = { kind: 'refuse' } } = rule;
  const timed = rule.measure === 'inFlight' ? null : rule;
  return {
    ...draft,
    id: rule.id,
    name: rule.name,
    enabled: rule.enabled ?? true,
    per: [...rule.per],
    scope: {
      groups: printNames(scope.groups),
      models: printNames(scope.models),
      users: printNames(scope.users),
      keys: printNames(scope.keys),
      addresses: printNames(scope.addresses),
    },
    measure: rule.measure,
    amount: rule.measure === 'money' ? toDollarsField(rule.amount) : String(rule.amount),
    window: timed?.window ?? draft.window,
    algorithm: timed?.algorithm ?? draft.algorithm,
    burst:
      timed?.burst === undefined
        ? ''
        : timed.measure === 'money'
          ? toDollarsField((BigInt(timed.burst) * NANO_PER_MICRO).toString())
          : String(timed.burst),
    action: action.kind,
    message: action.kind === 'refuse' ? (action.message ?? '') : '',
    ...(action.kind === 'wait' ? { mostWaiting: String(action.mostWaiting), longestSeconds: String(action.longestMs / 1_000) } : {}),
    model: action.kind === 'model' ? action.model : '',
  };
};

/** A whole number with or without marks between its thousands; `null` for anything else, and beyond the bounds. */
export const parseCount = (text: string, most: number): number | null => {
  const bare = text.trim();
  if (!/^\d+$|^\d{1,3}(?:[ ,_'’\u00a0\u202f]\d{3})+$/.test(bare)) return null;
  const count = Number(bare.replace(/\D/g, ''));
  return count >= 1 && count <= most ? count : null;
};

const parseMicroDollars = (text: string): number | null => {
  const nano = parseDollars(text);
  if (nano === null || BigInt(nano) < NANO_PER_MICRO) return null;
  const micro = BigInt(nano) / NANO_PER_MICRO;
  return micro <= BigInt(MOST) ? Number(micro) : null;
};

/** An id for a rule that has none yet: out of its name, or counted on where that says nothing or is taken. */
export const freeId = (name: string, taken: readonly string[]): string => {
  const base =
    name
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-+|-+$/g, '')
      .slice(0, 56)
      .replace(/-+$/, '') || 'rule';
  for (let number = 1; ; number += 1) {
    const id = number === 1 ? base : `${base}-${number}`;
    if (!taken.includes(id)) return id;
  }
};

const readAction = (draft: LimitDraft, errors: LimitDraftErrors): LimitRule['action'] => {
  if (draft.action === 'refuse') {
    const message = draft.message.trim();
    if (message.length > 500) errors.message = 'message';
    return message === '' ? { kind: 'refuse' } : { kind: 'refuse', message };
  }
  if (draft.action === 'model') {
    const model = draft.model.trim();
    if (model === '' || model.length > 200) errors.model = 'model';
    return { kind: 'model', model };
  }
  const mostWaiting = parseCount(draft.mostWaiting, 10_000);
  const seconds = /^\d{1,3}(?:[.,]\d{1,3})?$/.test(draft.longestSeconds.trim()) ? Number(draft.longestSeconds.trim().replace(',', '.')) : 0;
  const longestMs = Math.round(seconds * 1_000);
  if (mostWaiting === null) errors.mostWaiting = 'mostWaiting';
  if (longestMs < 1 || longestMs > 600_000) errors.longestSeconds = 'longestSeconds';
  return { kind: 'wait', mostWaiting: mostWaiting ?? 1, longestMs };
};

const readScope = (draft: LimitDraft, errors: LimitDraftErrors): LimitRule['scope'] => {
  const named = SCOPES.map((scope) => [scope, namesIn(draft.scope[scope])] as const).filter(([, names]) => names.length > 0);
  for (const [scope, names] of named)
    if (names.length > 500 || names.some((name) => name.length > 200)) errors[scope] = 'names';
    else if (scope === 'addresses' && !names.every(looksLikeAddress)) errors.addresses = 'addresses';
    else if (scope === 'models' && names.some((name) => name.split('*').length > MOST_STARS + 1)) errors.models = 'stars';
  return Object.fromEntries(named);
};

/** What the form says, or what is wrong with it. `taken`: the ids of the other rules. */
export const readLimitDraft = (
  draft: LimitDraft,
  taken: readonly string[],
): { readonly rule: LimitRule | null; readonly errors: LimitDraftErrors } => {
  const errors: LimitDraftErrors = {};
  const name = draft.name.trim();
  if (name === '') errors.name = 'name';
  else if (name.length > 100) errors.name = 'nameLong';
  const id = draft.id.trim() === '' ? freeId(name, taken) : draft.id.trim();
  if (!/^[a-z0-9][a-z0-9-]{0,63}$/.test(id)) errors.id = 'id';
  else if (taken.includes(id)) errors.id = 'idTaken';
  if (draft.per.length > MOST_PER) errors.per = 'per';
  const identity = {
    id,
    name,
    enabled: draft.enabled,
    per: DIMENSIONS.filter((dimension) => draft.per.includes(dimension)),
    scope: readScope(draft, errors),
    action: readAction(draft, errors),
  };
  const { measure } = draft;
  const money = measure === 'money' ? parseDollars(draft.amount) : null;
  const count = measure === 'money' ? null : parseCount(draft.amount, MOST);
  if (measure === 'money' ? money === null || BigInt(money) < NANO_PER_MICRO : count === null)
    errors.amount = measure === 'money' ? 'money' : 'count';
  const written = measure === 'inFlight' || draft.algorithm === 'slidingWindow' ? '' : draft.burst.trim();
  const burst = written === '' ? undefined : measure === 'money' ? parseMicroDollars(written) : parseCount(written, MOST);
  if (burst === null) errors.burst = measure === 'money' ? 'money' : 'count';
  const counted = { window: draft.window, algorithm: draft.algorithm, ...(burst === undefined || burst === null ? {} : { burst }) };
  const rule: LimitRule =
    measure === 'inFlight'
      ? { ...identity, measure, amount: count ?? 1 }
      : measure === 'money'
        ? { ...identity, ...counted, measure, amount: money ?? '0' }
        : { ...identity, ...counted, measure, amount: count ?? 1 };
  return { rule: Object.keys(errors).length === 0 ? rule : null, errors };
};

/** A field that the server found at fault, as the form names it: `rules.3.scope.models` is `models`. */
export const limitFieldOf = (param: string | null): LimitField | null => {
  const match = /^(?:policy\.)?rules\.\d+\.(?:scope\.|action\.)?(\w+)/.exec(param ?? '');
  const found = match?.[1] === 'longestMs' ? 'longestSeconds' : match?.[1];
  const fields: readonly LimitField[] = [
    'id',
    'name',
    'per',
    'amount',
    'burst',
    'message',
    'mostWaiting',
    'longestSeconds',
    'model',
    ...SCOPES,
  ];
  return fields.find((field) => field === found) ?? null;
};
