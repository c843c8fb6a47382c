import { applyBodyRules } from '../../domain/channel/body-rules.ts';
import { MESSAGE_TOKENS, withSystemPrompt } from '../../domain/channel/system-prompt.ts';
import type { ChannelSettings } from '../../schemas/events/channel.ts';
import { isRefusal } from '../../schemas/errors.ts';
import type { DirectoryChannel } from '../ports/directory.ts';
import { parse } from './endpoints/endpoints.ts';
import type { ParsedRequest } from './endpoints/parsed-request.ts';
import type { RelayLimits } from './relay-limits.ts';
import type { Asked } from './upstreams/upstream-dialect.ts';

/** Whether the channel changes what it is sent, so that what was said to another cannot be said to it. */
export const rewrites = ({ bodyRules, systemPrompt }: ChannelSettings): boolean => bodyRules !== undefined || systemPrompt !== undefined;

const added = new WeakMap<ChannelSettings, number>();

/** The most tokens that a channel's own texts can add to a prompt: no tokenizer makes more than one of a byte. */
const tokensOf = (settings: ChannelSettings): number => {
  let tokens = added.get(settings);
  if (tokens === undefined) {
    const { systemPrompt, bodyRules = [] } = settings;
    tokens = systemPrompt === undefined ? 0 : Buffer.byteLength(systemPrompt.text) + MESSAGE_TOKENS;
    for (const rule of bodyRules) tokens += Buffer.byteLength(JSON.stringify(rule));
    added.set(settings, tokens);
  }
  return tokens;
};

/** The most that any of the channels may add to a call's prompt. */
export const addedTokens = (channels: readonly DirectoryChannel[]): number => {
  let most = 0;
  for (const { settings } of channels) if (rewrites(settings)) most = Math.max(most, tokensOf(settings));
  return most;
};

/** The call with the channel's own text in it. */
export const prompted = (parsed: ParsedRequest, { systemPrompt }: ChannelSettings, limits: RelayLimits): ParsedRequest => {
  if (systemPrompt === undefined || parsed.endpoint !== 'chat') return parsed;
  const { request } = parsed;
  const body = Buffer.from(JSON.stringify({ ...request, messages: withSystemPrompt(request.messages, systemPrompt) }));
  const again = parse(body, 'chat', limits);
  if (isRefusal(again)) throw new Error('a text at the beginning makes no request invalid');
  return again;
};

/** The call by the channel's rules; `null` where they say that it is none for this channel. A body that is no JSON object is left alone. */
export const ruled = (asked: Asked, { bodyRules }: ChannelSettings): Asked | null => {
  if (bodyRules === undefined || asked.body[0] !== 0x7b) return asked;
  const body = JSON.parse(asked.body.toString('utf8')) as Record<string, unknown>;
  return applyBodyRules(body, bodyRules) ? { ...asked, body: Buffer.from(JSON.stringify(body)) } : null;
};
