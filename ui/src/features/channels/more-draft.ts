import type { ChannelSettings } from '../../api/channels.ts';

/** What most channels do without, as it stands in a form: text as typed. */
export interface MoreDraft {
  /** Comma-separated. */
  tags: string;
  proxy: string;
  keyOrder: 'turns' | 'random';
  passThrough: 'nothing' | NonNullable<ChannelSettings['passThrough']>;
  /** `known`: as the table of providers has it. */
  responses: 'known' | NonNullable<ChannelSettings['responses']>;
  testEvery: string;
  balanceEvery: string;
  warnBelow: string;
  offAtZero: boolean;
  answer: string;
  firstEvent: string;
  prompt: string;
  promptPlace: 'before' | 'behind' | 'instead' | 'where_missing';
  /** JSON: an object of the members that are lists of rules. */
  rules: string;
}

export type MoreErrors = Partial<Record<keyof MoreDraft, 'proxy' | 'number' | 'rules' | 'balanceEvery' | 'decimal'>>;

/** Settings that are lists of rules, and are written as they are kept. */
const RULES = ['bodyRules', 'headerRules', 'statusMap', 'disableRules', 'endpoints'] as const;

/** The others that are written here. */
const FIELDS = ['tags', 'proxy', 'keyOrder', 'passThrough', 'responses', 'testEveryMinutes', 'balance', 'times', 'systemPrompt'] as const;

export const moreDraftOf = (settings: ChannelSettings | null): MoreDraft => {
  const rules = Object.fromEntries(RULES.flatMap((name) => (settings?.[name] === undefined ? [] : [[name, settings[name]]])));
  return {
    tags: settings?.tags?.join(', ') ?? '',
    proxy: settings?.proxy ?? '',
    keyOrder: settings?.keyOrder ?? 'turns',
    passThrough: settings?.passThrough ?? 'nothing',
    responses: settings?.responses ?? 'known',
    testEvery: settings?.testEveryMinutes?.toString() ?? '',
    balanceEvery: settings?.balance?.everyMinutes.toString() ?? '',
    warnBelow: settings?.balance?.warnBelow ?? '',
    offAtZero: settings?.balance?.disableAtZero ?? false,
    answer: settings?.times?.answerSeconds?.toString() ?? '',
    firstEvent: settings?.times?.firstEventSeconds?.toString() ?? '',
    prompt: settings?.systemPrompt?.text ?? '',
    promptPlace: settings?.systemPrompt?.place ?? 'before',
    rules: Object.keys(rules).length === 0 ? '' : JSON.stringify(rules, null, 2),
  };
};

/** A whole number from one on; `undefined` where nothing is written, `null` where it is none. */
const count = (text: string): number | null | undefined =>
  text.trim() === '' ? undefined : /^[1-9]\d{0,4}$/.test(text.trim()) ? Number(text.trim()) : null;

/** How often a provider is asked; what is made of its answer needs that it is asked. */
const balanceIn = ({ balanceEvery, warnBelow, offAtZero }: MoreDraft, errors: MoreErrors): ChannelSettings['balance'] => {
  const everyMinutes = count(balanceEvery);
  const below = warnBelow.trim().replace(',', '.');
  if (below !== '' && !/^-?\d{1,15}(?:\.\d{1,12})?$/.test(below)) errors.warnBelow = 'decimal';
  if (everyMinutes === undefined && below === '' && !offAtZero) return undefined;
  if (everyMinutes === undefined || everyMinutes === null || everyMinutes < 5 || everyMinutes > 10_080) {
    errors.balanceEvery = 'balanceEvery';
    return undefined;
  }
  return { everyMinutes, ...(below === '' ? {} : { warnBelow: below }), ...(offAtZero ? { disableAtZero: true } : {}) };
};

const rulesIn = (text: string): Record<string, unknown> | null => {
  if (text.trim() === '') return {};
  try {
    const parsed = JSON.parse(text) as unknown;
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return null;
    const known: readonly string[] = RULES;
    return Object.entries(parsed).every(([name, value]) => known.includes(name) && Array.isArray(value))
      ? (parsed as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
};

/** The settings with what is written here in place of what they had of it. What a rule may be is for the server to say. */
export const withMore = (
  settings: ChannelSettings,
  draft: MoreDraft,
): { readonly settings: ChannelSettings | null; readonly errors: MoreErrors } => {
  const errors: MoreErrors = {};
  const tags = [...new Set(draft.tags.split(',').map((tag) => tag.trim()))].filter((tag) => tag !== '');
  const proxy = draft.proxy.trim().replace(/\/$/, '');
  if (proxy !== '' && !/^(?:https?|socks5):\/\/[^\s/@?#]+$/.test(proxy)) errors.proxy = 'proxy';
  const numbers = { testEvery: count(draft.testEvery), answer: count(draft.answer), firstEvent: count(draft.firstEvent) };
  for (const name of ['testEvery', 'answer', 'firstEvent'] as const) if (numbers[name] === null) errors[name] = 'number';
  const balance = balanceIn(draft, errors);
  const rules = rulesIn(draft.rules);
  if (rules === null) errors.rules = 'rules';
  const { testEvery, answer, firstEvent } = numbers;
  if (Object.keys(errors).length > 0 || rules === null || testEvery === null || answer === null || firstEvent === null)
    return { settings: null, errors };

  const kept = { ...settings };
  for (const name of [...RULES, ...FIELDS] as const) delete kept[name];
  const prompt = draft.prompt.trim();
  return {
    settings: {
      ...kept,
      ...(rules as Partial<ChannelSettings>),
      ...(tags.length === 0 ? {} : { tags }),
      ...(proxy === '' ? {} : { proxy }),
      ...(draft.keyOrder === 'turns' ? {} : { keyOrder: draft.keyOrder }),
      ...(draft.passThrough === 'nothing' ? {} : { passThrough: draft.passThrough }),
      ...(draft.responses === 'known' ? {} : { responses: draft.responses }),
      ...(testEvery === undefined ? {} : { testEveryMinutes: testEvery }),
      ...(balance === undefined ? {} : { balance }),
      ...(answer === undefined && firstEvent === undefined ? {} : { times: { answerSeconds: answer, firstEventSeconds: firstEvent } }),
      ...(prompt === '' ? {} : { systemPrompt: { text: prompt, place: draft.promptPlace } }),
    },
    errors,
  };
};
