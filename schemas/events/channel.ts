import { z } from 'zod';
import { ChannelId, ChannelKeyId } from '../ids.ts';
import { Ratio } from '../price.ts';
import { Sealed } from '../sealed.ts';
import { BodyRule, ChannelTimes, DisableRule, HeaderRule, StatusMapping, SystemPrompt } from './channel-rules.ts';

/** What a call may ask of a model that not every model can do. */
export const Capability = z.enum(['tools', 'vision', 'audio', 'documents', 'structured_output', 'reasoning', 'streaming']);
export type Capability = z.infer<typeof Capability>;

/**
 * A model as our clients name it, and as this channel's upstream does. A `*` stands for any text, the same on both sides. An upstream's name
 * that the channel maps itself is followed on.
 */
export const ModelMapping = z.object({
  model: z.string().min(1).max(200),
  upstreamModel: z.string().min(1).max(200),
  /** What it is known not to be able to do here. */
  lacks: z.array(Capability).max(10).optional(),
});
export type ModelMapping = z.infer<typeof ModelMapping>;

/**
 * Who is behind a channel, by its id in the table of providers. Not an enumeration: the table grows, and a log with a provider of a later
 * release is read by this one all the same.
 */
export const ProviderId = z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'is not the id of a provider');
export type ProviderId = z.infer<typeof ProviderId>;

export const ChannelHealth = z.enum(['unknown', 'healthy', 'failing']);
export type ChannelHealth = z.infer<typeof ChannelHealth>;

/** A decimal number, of whatever currency. */
const DecimalText = z.string().regex(/^-?\d{1,15}(?:\.\d{1,12})?$/, 'is not a decimal number');

/** What is left of the account behind a channel, asked of its provider from time to time. */
export const BalanceCare = z.object({
  everyMinutes: z.int().min(5).max(10_080),
  /** Administrators are told when it falls below this, in the provider's own currency. */
  warnBelow: DecimalText.optional(),
  /** Takes the channel out of use when nothing is left, and puts it back when something is. */
  disableAtZero: z.boolean().optional(),
});

/** What is left of an account at a provider, in a currency of ISO 4217. It may be below zero. */
const ReportedBalance = z.object({ currency: z.string().regex(/^[A-Z]{3}$/), amount: DecimalText });

export const ChannelSettings = z.object({
  name: z.string().min(1).max(100),
  provider: ProviderId,
  /** With the version segment, without a trailing slash: `https://api.openai.com/v1`. */
  baseUrl: z.url({ protocol: /^https?$/ }).max(500),
  models: z.array(ModelMapping).min(1).max(2_000),
  /** Channels of the highest priority that can serve a call are tried first… */
  priority: z.int().min(-1_000).max(1_000),
  /** …and among equals this is the odds. Zero keeps a channel as a last resort of its priority. */
  weight: z.int().min(0).max(10_000),
  /** User groups that may use the channel; `null` is all of them. */
  groups: z.array(z.string().min(1).max(64)).min(1).max(100).nullable(),
  /** What the upstream charges us as a share of the price list. */
  costRatio: Ratio,
  /** Words of the operator's, by which many are changed at once. */
  tags: z.array(z.string().min(1).max(40)).max(20).optional(),
  /** How its keys are used: one after the other unless given. */
  keyOrder: z.enum(['turns', 'random']).optional(),
  /** The kinds of calls that it takes, as the relay names them; all of them unless given. */
  endpoints: z.array(z.string().min(1).max(40)).min(1).max(40).optional(),
  /**
   * Calls of the Responses API in their own words, or as chat completions; unless given, in their own words where the address is the provider's
   * and the provider knows them.
   */
  responses: z.enum(['native', 'converted']).optional(),
  /** In this order, on the body in its upstream's form. */
  bodyRules: z.array(BodyRule).max(50).optional(),
  headerRules: z.array(HeaderRule).max(50).optional(),
  systemPrompt: SystemPrompt.optional(),
  statusMap: z.array(StatusMapping).max(50).optional(),
  times: ChannelTimes.optional(),
  /** Through which its upstream is called: `http://`, `https://` or `socks5://`, without credentials and path. */
  proxy: z
    .string()
    .max(300)
    .regex(/^(?:https?|socks5):\/\/[^\s/@?#]+$/, 'is not the address of a proxy, such as socks5://10.0.0.1:1080')
    .optional(),
  /**
   * What callers may ask of its upstream by the upstream's own addresses; nothing unless given. `calls`: of models, and which there are.
   * `everything`: whatever else its keys may do there, such as reading and deleting what others left behind.
   */
  passThrough: z.enum(['calls', 'everything']).optional(),
  /** What takes its keys, or all of it, out of use; the platform's own rules unless given. */
  disableRules: z.array(DisableRule).max(50).optional(),
  /** How often it is tested although it works; never unless given. */
  testEveryMinutes: z.int().min(1).max(1_440).optional(),
  /** What it is tested with; the first that it maps by name unless given. */
  testModel: z.string().min(1).max(200).optional(),
  /** Nobody asks by himself unless given. */
  balance: BalanceCare.optional(),
});
export type ChannelSettings = z.infer<typeof ChannelSettings>;

export const channelEvents = {
  ChannelAdded: z.object({ channelId: ChannelId, settings: ChannelSettings }),
  ChannelChanged: z.object({ channelId: ChannelId, settings: ChannelSettings }),
  ChannelKeyAdded: z.object({ channelId: ChannelId, keyId: ChannelKeyId, secret: Sealed, hint: z.string().max(12) }),
  /** `by` is missing in events of before it was told apart; then nobody but an operator puts the key back. */
  ChannelKeyDisabled: z.object({
    channelId: ChannelId,
    keyId: ChannelKeyId,
    reason: z.string().max(500),
    by: z.enum(['operator', 'platform']).optional(),
  }),
  ChannelKeyRestored: z.object({ channelId: ChannelId, keyId: ChannelKeyId }),
  ChannelKeyRemoved: z.object({ channelId: ChannelId, keyId: ChannelKeyId }),
  ChannelEnabled: z.object({ channelId: ChannelId }),
  ChannelDisabled: z.object({ channelId: ChannelId, by: z.enum(['operator', 'platform']), reason: z.string().max(500) }),
  ChannelHealthChanged: z.object({ channelId: ChannelId, from: ChannelHealth, to: ChannelHealth, reason: z.string().max(500) }),
  /** One of its models, by the name that our clients use, fails there or does no longer. */
  ChannelModelHealthChanged: z.object({
    channelId: ChannelId,
    model: z.string().max(200),
    to: z.enum(['healthy', 'failing']),
    reason: z.string().max(500),
  }),
  /** What the upstream says it has, by its own names. */
  ChannelModelsDiscovered: z.object({ channelId: ChannelId, models: z.array(z.string().min(1).max(200)).max(2_000) }),
  ChannelTested: z.object({
    channelId: ChannelId,
    ok: z.boolean(),
    model: z.string().max(200),
    latencyMs: z.int().nonnegative(),
    message: z.string().max(500),
    /** Where it was made with one key in particular. */
    keyId: ChannelKeyId.optional(),
  }),
  /** What its provider says is left, where that is something else than what it said before. */
  ChannelBalanceReported: z.object({
    channelId: ChannelId,
    ...ReportedBalance.shape,
    /** It is below what the operator wants to be warned of. */
    isLow: z.boolean(),
    /** Where it was not before. */
    fellBelow: DecimalText.optional(),
  }),
  ChannelRemoved: z.object({ channelId: ChannelId }),
} as const;
