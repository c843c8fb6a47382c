import type { Channel, ChannelProvider, ChannelSettings, Mapping } from '../../api/channels.ts';
import { SANDBOX_ADDRESS } from '../../../../schemas/sandbox-address.ts';

/** A channel as it stands in a form: text as typed. */
export interface ChannelDraft {
  name: string;
  provider: ChannelProvider;
  baseUrl: string;
  /** One per line: `model`, or `model = upstream model`. */
  models: string;
  secrets: string;
  priority: string;
  weight: string;
  /** Comma-separated; empty is every group. */
  groups: string;
  /** What the upstream charges as a share of the list price, in percent. */
  cost: string;
}

/** Keys of messages under `channels.form.errors`. */
export type ChannelDraftErrors = Partial<Record<keyof ChannelDraft, string>>;

export const emptyChannelDraft = (): ChannelDraft => ({
  name: '',
  provider: 'openai',
  baseUrl: '',
  models: '',
  secrets: '',
  priority: '0',
  weight: '1',
  groups: '',
  cost: '100',
});

const percentOf = (millionths: number): string => {
  const whole = Math.floor(millionths / 10_000);
  const rest = (millionths % 10_000).toString().padStart(4, '0').replace(/0+$/, '');
  return rest === '' ? String(whole) : `${whole}.${rest}`;
};

export const printMappings = (models: readonly Mapping[]): string =>
  models.map(({ model, upstreamModel }) => (model === upstreamModel ? model : `${model} = ${upstreamModel}`)).join('\n');

export const channelDraftOf = (channel: Channel): ChannelDraft => ({
  name: channel.settings.name,
  provider: channel.settings.provider,
  baseUrl: channel.settings.baseUrl,
  models: printMappings(channel.settings.models),
  secrets: '',
  priority: String(channel.settings.priority),
  weight: String(channel.settings.weight),
  groups: channel.settings.groups?.join(', ') ?? '',
  cost: percentOf(channel.settings.costRatio),
});

/** Lines of `model`, `model = upstream`, `model -> upstream` or `model → upstream`. `null` when a line has an empty side. */
export const parseMappings = (text: string): Mapping[] | null => {
  const found = new Map<string, Mapping>();
  for (const line of text.split(/\r?\n|,/)) {
    if (line.trim() === '') continue;
    const [model = '', upstreamModel = model, ...more] = line.split(/\s*(?:=|->|→)\s*/).map((side) => side.trim());
    if (model === '' || upstreamModel === '' || more.length > 0 || /\s/.test(model) || /\s/.test(upstreamModel)) return null;
    found.set(model, { model, upstreamModel });
  }
  return [...found.values()];
};

/** Percent with up to four decimals as millionths of one; exact. */
export const parsePercent = (text: string): number | null => {
  const match = /^(\d{1,5})(?:[.,](\d{1,4}))?\s*%?$/.exec(text.trim());
  return match === null ? null : Number(match[1]) * 10_000 + Number((match[2] ?? '').padEnd(4, '0'));
};

export const wholeIn = (text: string, least: number, most: number): number | null => {
  const value = /^-?\d{1,6}$/.test(text.trim()) ? Number(text.trim()) : Number.NaN;
  return value >= least && value <= most ? value : null;
};

export const originOf = (address: string): string | null => {
  try {
    const url = new URL(address);
    return url.protocol === 'http:' || url.protocol === 'https:' ? url.origin : null;
  } catch {
    return null;
  }
};

/** What was entrusted to one origin is never sent to another, so a new origin needs its secrets anew. */
export const needsSecrets = (draft: ChannelDraft, before: ChannelSettings | null): boolean =>
  draft.provider !== 'sandbox' &&
  before !== null &&
  (before.provider === 'sandbox' || originOf(draft.baseUrl.trim()) !== originOf(before.baseUrl));

/** One per line; a key that is JSON, as Google's are, is one however many lines it has. */
export const secretsOf = ({ secrets }: ChannelDraft): string[] =>
  secrets.trim().startsWith('{') ? [secrets.trim()] : [...new Set(secrets.split(/\s+/).filter((secret) => secret !== ''))];

export const readChannelDraft = (
  draft: ChannelDraft,
  before: ChannelSettings | null,
): { readonly settings: ChannelSettings | null; readonly errors: ChannelDraftErrors } => {
  const errors: ChannelDraftErrors = {};
  const name = draft.name.trim();
  if (name === '' || name.length > 100) errors.name = 'name';
  const baseUrl = draft.provider === 'sandbox' ? SANDBOX_ADDRESS : draft.baseUrl.trim().replace(/\/+$/, '');
  if (/[{}]/.test(baseUrl)) errors.baseUrl = 'blank';
  else if (originOf(baseUrl) === null) errors.baseUrl = 'baseUrl';
  const models = parseMappings(draft.models);
  if (models === null) errors.models = 'mapping';
  else if (models.length === 0) errors.models = 'models';
  if (needsSecrets(draft, before) && secretsOf(draft).length === 0) errors.secrets = 'secrets';
  const priority = wholeIn(draft.priority, -1_000, 1_000);
  if (priority === null) errors.priority = 'priority';
  const weight = wholeIn(draft.weight, 0, 10_000);
  if (weight === null) errors.weight = 'weight';
  const groups = [
    ...new Set(
      draft.groups
        .split(',')
        .map((group) => group.trim())
        .filter((group) => group !== ''),
    ),
  ];
  const costRatio = parsePercent(draft.cost);
  if (costRatio === null || costRatio > 1_000_000_000) errors.cost = 'cost';
  if (Object.keys(errors).length > 0 || models === null || priority === null || weight === null || costRatio === null)
    return { settings: null, errors };
  return {
    // What the form does not show stays as it is.
    settings: {
      ...before,
      name,
      provider: draft.provider,
      baseUrl,
      models: models.map((mapping) => ({ ...before?.models.find(({ model }) => model === mapping.model), ...mapping })),
      priority,
      weight,
      groups: groups.length === 0 ? null : groups,
      costRatio,
    },
    errors,
  };
};

/** A field that the server found at fault, as the form names it. */
export const channelFieldOf = (param: string | null): keyof ChannelDraft | null => {
  const match = /^(?:settings\.)?(name|provider|baseUrl|models|priority|weight|groups|costRatio|secrets)\b/.exec(param ?? '');
  if (match === null) return null;
  return match[1] === 'costRatio' ? 'cost' : (match[1] as keyof ChannelDraft);
};
