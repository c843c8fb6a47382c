import type { Key, KeyEndpoint, KeyRestrictions, NewKey } from '../../api/keys.ts';
import { looksLikeAddress } from '../../lib/address-shape.ts';
import { isDay } from '../../lib/period.ts';
import { dayOf, shiftDay, startOfDay } from '../../lib/time.ts';
import { draftCaps, NO_CAPS, readCaps, type CapAmounts, type CapsDraft, type CapWindow } from '../../parts/caps-draft.ts';

export const ENDPOINTS: readonly KeyEndpoint[] = [
  'chat',
  'embeddings',
  'moderations',
  'rerank',
  'images',
  'audio',
  'pass_through',
  'files',
  'batches',
  'tasks',
  'models',
  'billing',
];
export const EXPIRIES = ['never', '30', '90', '365', 'date'] as const;
export type Expiry = (typeof EXPIRIES)[number];

/** A key as it stands in a form: text as typed. */
export interface KeyDraft {
  name: string;
  expiry: Expiry;
  /** Last day on which the key works, in the reader's zone. */
  lastDay: string;
  caps: CapsDraft;
  limitModels: boolean;
  models: string;
  limitEndpoints: boolean;
  endpoints: KeyEndpoint[];
  limitAddresses: boolean;
  addresses: string;
}

/** Keys of messages under `keys.form.errors`. */
export type KeyDraftErrors = Partial<Record<'name' | 'lastDay' | 'models' | 'endpoints' | 'addresses' | CapWindow, string>>;
export interface KeyValues {
  readonly name: string;
  readonly expiresAt: string | null;
  readonly restrictions: KeyRestrictions;
  readonly caps: CapAmounts;
}

export const emptyDraft = (): KeyDraft => ({
  name: '',
  expiry: 'never',
  lastDay: '',
  caps: draftCaps(NO_CAPS),
  limitModels: false,
  models: '',
  limitEndpoints: false,
  endpoints: [...ENDPOINTS],
  limitAddresses: false,
  addresses: '',
});

export const draftOf = (key: Key, zone: string): KeyDraft => ({
  name: key.name,
  expiry: key.expiresAt === null ? 'never' : 'date',
  // A key that ends at midnight works for the last time on the day before.
  lastDay: key.expiresAt === null ? '' : dayOf(Date.parse(key.expiresAt) - 1, zone),
  caps: draftCaps(key.caps),
  limitModels: key.restrictions.models !== null,
  models: key.restrictions.models?.join('\n') ?? '',
  limitEndpoints: key.restrictions.endpoints !== null,
  endpoints: [...(key.restrictions.endpoints ?? ENDPOINTS)],
  limitAddresses: key.restrictions.addresses !== null,
  addresses: key.restrictions.addresses?.join('\n') ?? '',
});

/** One item per line, comma or blank; each once. */
export const listItems = (text: string): string[] => [...new Set(text.split(/[\s,;]+/).filter((item) => item !== ''))];

const expiryOf = (draft: KeyDraft, now: number, zone: string): string | null => {
  if (draft.expiry === 'never') return null;
  if (draft.expiry === 'date') return new Date(startOfDay(shiftDay(draft.lastDay, 1), zone)).toISOString();
  return new Date(now + Number(draft.expiry) * 86_400_000).toISOString();
};

/** What the form says, or what is wrong with it. `kept` is the expiry that a key has already and that may lie in the past. */
export const readDraft = (
  draft: KeyDraft,
  now: number,
  zone: string,
  kept: string | null = null,
): { readonly values: KeyValues | null; readonly errors: KeyDraftErrors } => {
  const errors: KeyDraftErrors = {};
  const name = draft.name.trim();
  if (name === '') errors.name = 'name';
  else if (name.length > 100) errors.name = 'nameLong';
  const { caps, wrong } = readCaps(draft.caps);
  for (const window of wrong) errors[window] = 'money';
  let expiresAt: string | null = null;
  if (draft.expiry === 'date' && !isDay(draft.lastDay)) errors.lastDay = 'day';
  else {
    expiresAt = expiryOf(draft, now, zone);
    const unchanged = kept !== null && expiresAt !== null && dayOf(Date.parse(kept) - 1, zone) === draft.lastDay;
    if (unchanged) expiresAt = kept;
    else if (expiresAt !== null && Date.parse(expiresAt) <= now) errors.lastDay = 'past';
  }
  const models = draft.limitModels ? listItems(draft.models) : null;
  if (models?.length === 0) errors.models = 'models';
  const endpoints = draft.limitEndpoints ? ENDPOINTS.filter((endpoint) => draft.endpoints.includes(endpoint)) : null;
  if (endpoints?.length === 0) errors.endpoints = 'endpoints';
  const addresses = draft.limitAddresses ? listItems(draft.addresses) : null;
  if (addresses?.length === 0) errors.addresses = 'addresses';
  else if (addresses?.some((address) => !looksLikeAddress(address)) === true) errors.addresses = 'addressShape';
  const values: KeyValues = { name, expiresAt, caps, restrictions: { models, endpoints, addresses } };
  return { values: Object.keys(errors).length === 0 ? values : null, errors };
};

/** A field that the server found at fault, as the form names it. */
export const fieldOf = (param: string | null): keyof KeyDraftErrors | null => {
  if (param === null) return null;
  const match = /^(?:restrictions\.)?(name|models|endpoints|addresses)\b|^caps\.(day|month|total)|^(expiresAt)/.exec(param);
  if (match === null) return null;
  return match[3] !== undefined ? 'lastDay' : ((match[1] ?? match[2]) as keyof KeyDraftErrors);
};

export const newKeyOf = (values: KeyValues): NewKey => ({
  name: values.name,
  expiresAt: values.expiresAt,
  restrictions: values.restrictions,
  caps: values.caps,
});

export const sameRestrictions = (left: KeyRestrictions, right: KeyRestrictions): boolean =>
  JSON.stringify([left.models, left.endpoints, left.addresses]) === JSON.stringify([right.models, right.endpoints, right.addresses]);
