import { isRefusal } from '../../schemas/errors.ts';
import type { AffinityBy } from '../../schemas/events/routing.ts';
import type { Capability } from '../../schemas/events/channel.ts';
import type { Call } from './call.ts';
import type { ParsedRequest } from './endpoints/parsed-request.ts';

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null;

/** The kinds of parts that the messages are made of, the hub's names. */
const partsOf = (messages: readonly unknown[]): ReadonlySet<unknown> => {
  const kinds = new Set<unknown>();
  for (const message of messages) {
    if (!isObject(message) || !Array.isArray(message['content'])) continue;
    for (const part of message['content'] as readonly unknown[]) if (isObject(part)) kinds.add(part['type']);
  }
  return kinds;
};

/** A request in the hub's form; of one that cannot be said in it, what little is known. */
const inHubForm = (parsed: ParsedRequest): Readonly<Record<string, unknown>> => {
  const hub = parsed.endpoint === 'chat' ? (parsed.native?.hub(false) ?? parsed) : parsed;
  return isRefusal(hub) ? parsed.request : hub.request;
};

/** What a request asks of a model that not every model can do. */
export const capabilitiesOf = (parsed: ParsedRequest): readonly Capability[] => {
  const asked = inHubForm(parsed);
  const needs: Capability[] = [];
  if (Array.isArray(asked['tools']) && asked['tools'].length > 0) needs.push('tools');
  const format = asked['response_format'];
  if (isObject(format) && format['type'] !== 'text') needs.push('structured_output');
  if (asked['reasoning_effort'] !== undefined && asked['reasoning_effort'] !== null && asked['reasoning_effort'] !== 'none')
    needs.push('reasoning');
  if (asked['stream'] === true) needs.push('streaming');
  const modalities = asked['modalities'];
  const parts = Array.isArray(asked['messages']) ? partsOf(asked['messages']) : new Set();
  if (parts.has('image_url')) needs.push('vision');
  if (parts.has('input_audio') || (Array.isArray(modalities) && modalities.includes('audio'))) needs.push('audio');
  if (parts.has('file')) needs.push('documents');
  return needs;
};

/** Longer ones are cut: they only have to differ. */
const KEY_LENGTH = 256;

const textOf = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value.slice(0, KEY_LENGTH) : null);

const affinityBy = (by: AffinityBy, { req }: Pick<Call, 'req'>, asked: Readonly<Record<string, unknown>>): string | null => {
  switch (by) {
    case 'prompt_cache_key':
      return textOf(asked['prompt_cache_key']);
    case 'session':
      return textOf(req.headers['x-session-id']) ?? textOf(req.headers['session_id']);
    case 'user': {
      const metadata = asked['metadata'];
      return textOf(asked['safety_identifier']) ?? textOf(asked['user']) ?? (isObject(metadata) ? textOf(metadata['user_id']) : null);
    }
  }
};

/** What keeps a call on one channel; `null`: nothing does. Two customers' words for it are never the same. */
export const affinityOf = (order: readonly AffinityBy[], call: Pick<Call, 'req' | 'caller'>, parsed: ParsedRequest): string | null => {
  const userId = call.caller?.user.userId ?? '';
  const asked = parsed.endpoint === 'chat' ? (parsed.native?.request.value ?? parsed.request) : parsed.request;
  for (const by of order) {
    const key = affinityBy(by, call, asked);
    if (key !== null) return `${userId} ${key}`;
    // Whoever does not say for whom it is, is the user.
    if (by === 'user') return userId;
  }
  return null;
};
