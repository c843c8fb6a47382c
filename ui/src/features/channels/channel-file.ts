import type { Channel, ChannelInFile, ChannelSettings, Mapping } from '../../api/channels.ts';
import { originOf } from './channel-draft.ts';

/** Keys of messages under `channels.file.problems`. */
export type FileProblem = 'json' | 'format' | 'version' | 'empty' | 'many';

/** One thing that is otherwise in the file, in few words. */
export interface SettingChange {
  readonly name: string;
  readonly before: string;
  readonly after: string;
}

/**
 * What would become of a channel in a file. `elsewhere`: it is here under another origin, and what was entrusted to one is never sent to
 * another, so it can be changed only with keys in the file.
 */
export type Comparison = { readonly index: number; readonly name: string } & (
  | { readonly kind: 'new'; readonly channel: ChannelInFile }
  | { readonly kind: 'different'; readonly channel: ChannelInFile; readonly here: Channel; readonly changes: readonly SettingChange[] }
  | { readonly kind: 'elsewhere'; readonly changes: readonly SettingChange[] }
  | { readonly kind: 'same' | 'twice' | 'unreadable' }
);

const MOST_CHANNELS = 500;
const LONGEST_WORDS = 60;

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
};

/** The entries of a file that channels were exported to, or what is wrong with it. */
export const entriesOf = (text: string): { readonly entries: readonly unknown[] } | { readonly problem: FileProblem } => {
  const file = parsed(text.replace(/^\uFEFF/, ''));
  if (file === undefined) return { problem: 'json' };
  if (!isRecord(file) || file['format'] !== 'oblivious-channels' || !Array.isArray(file['channels'])) return { problem: 'format' };
  if (file['version'] !== 1) return { problem: 'version' };
  const entries: readonly unknown[] = file['channels'];
  if (entries.length === 0) return { problem: 'empty' };
  return entries.length > MOST_CHANNELS ? { problem: 'many' } : { entries };
};

/** As far as is needed to compare it. */
const channelIn = (entry: unknown): ChannelInFile | null => {
  const settings = isRecord(entry) ? entry['settings'] : undefined;
  if (!isRecord(entry) || !isRecord(settings)) return null;
  const { name, provider, baseUrl, models } = settings;
  if (typeof name !== 'string' || name === '' || typeof provider !== 'string' || typeof baseUrl !== 'string' || !Array.isArray(models))
    return null;
  const secrets = entry['secrets'] ?? [];
  if (!Array.isArray(secrets) || !secrets.every((secret) => typeof secret === 'string')) return null;
  return models.every((mapping) => isRecord(mapping) && typeof mapping['model'] === 'string')
    ? { settings: settings as unknown as ChannelSettings, secrets }
    : null;
};

/** The same text for the same value, in whatever order its members were written. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, each: unknown) =>
    isRecord(each) ? Object.fromEntries(Object.entries(each).sort(([left], [right]) => (left < right ? -1 : 1))) : each,
  ) ?? '';

const words = (value: unknown): string => {
  const text = value === undefined ? '–' : typeof value === 'string' ? value : canonical(value);
  return text.length > LONGEST_WORDS ? `${text.slice(0, LONGEST_WORDS - 1)}…` : text;
};

const modelsChange = (before: readonly Mapping[], after: readonly Mapping[]): SettingChange => {
  const names = (models: readonly Mapping[]): Set<string> => new Set(models.map(({ model }) => model));
  const [had, has] = [names(before), names(after)];
  const moved = [
    ...[...has].filter((name) => !had.has(name)).map((name) => `+${name}`),
    ...[...had].filter((name) => !has.has(name)).map((name) => `−${name}`),
  ];
  return { name: 'models', before: String(before.length), after: words([String(after.length), ...moved].join(' ')) };
};

export const changesOf = (before: ChannelSettings, after: ChannelSettings): readonly SettingChange[] => {
  const [had, has] = [before, after] as readonly Readonly<Record<string, unknown>>[] as [Record<string, unknown>, Record<string, unknown>];
  return [...new Set([...Object.keys(had), ...Object.keys(has)])]
    .filter((name) => canonical(had[name]) !== canonical(has[name]))
    .sort()
    .map((name) =>
      name === 'models' ? modelsChange(before.models, after.models) : { name, before: words(had[name]), after: words(has[name]) },
    );
};

/** What would become of each, by its name: that is what an import knows channels by. */
export const compareWith = (entries: readonly unknown[], here: readonly Channel[]): readonly Comparison[] => {
  const seen = new Set<string>();
  return entries.map((entry, index): Comparison => {
    const channel = channelIn(entry);
    if (channel === null) return { index, name: '', kind: 'unreadable' };
    const { name } = channel.settings;
    if (seen.has(name)) return { index, name, kind: 'twice' };
    seen.add(name);
    const known = here.find(({ settings }) => settings.name === name);
    if (known === undefined) return { index, name, kind: 'new', channel };
    const changes = changesOf(known.settings, channel.settings);
    if (changes.length === 0) return { index, name, kind: 'same' };
    const isElsewhere = originOf(known.settings.baseUrl) !== originOf(channel.settings.baseUrl);
    return isElsewhere && channel.secrets.length === 0 && known.keys.length > 0
      ? { index, name, kind: 'elsewhere', changes }
      : { index, name, kind: 'different', channel, here: known, changes };
  });
};
