import { isRecord, textOf } from '../loose-json.ts';
import type { Told } from './told.ts';

type Json = Readonly<Record<string, unknown>>;

/** One choice while its deltas are added up. */
interface Choice {
  readonly message: Record<string, unknown>;
  finish: unknown;
}

const TEXTS: ReadonlySet<string> = new Set(['content', 'refusal', 'reasoning_content']);

/** Adds up deltas that each tell whole entries of their lists, as those of formats do that do not stream arguments. */
const add = (message: Record<string, unknown>, delta: Json): void => {
  for (const name of Object.keys(delta)) {
    const value = delta[name];
    const known = message[name];
    if (TEXTS.has(name) && typeof value === 'string') message[name] = textOf(known) + value;
    else if (Array.isArray(value))
      message[name] = [...(Array.isArray(known) ? (known as readonly unknown[]) : []), ...(value as readonly unknown[])];
    else message[name] = value;
  }
};

/** A whole answer, from what a stream of one piece would have told; `null` where it told nothing. */
export const wholeOfChunks = (told: readonly Told[]): Json | null => {
  const choices = new Map<number, Choice>();
  let frame: Json = {};
  let usage: unknown;
  for (const one of told) {
    if (typeof one === 'string') continue;
    const { chunk } = one;
    frame = chunk;
    if (chunk['usage'] !== undefined) usage = chunk['usage'];
    for (const choice of Array.isArray(chunk['choices']) ? (chunk['choices'] as readonly unknown[]) : []) {
      if (!isRecord(choice)) continue;
      const index = Number(choice['index'] ?? 0);
      const known = choices.get(index) ?? { message: { refusal: null }, finish: null };
      choices.set(index, known);
      if (isRecord(choice['delta'])) add(known.message, choice['delta']);
      if (choice['finish_reason'] !== null) known.finish = choice['finish_reason'];
    }
  }
  if (choices.size === 0) return null;
  const whole: Record<string, unknown> = {
    id: frame['id'],
    object: 'chat.completion',
    created: frame['created'],
    model: frame['model'],
    choices: Array.from(choices, ([index, { message, finish }]) => {
      const calls = message['tool_calls'];
      if (Array.isArray(calls)) {
        message['tool_calls'] = (calls as readonly Json[]).map(({ index: _index, ...call }) => call);
        message['content'] = textOf(message['content']) || null;
      }
      return { index, message, logprobs: null, finish_reason: finish ?? 'stop' };
    }),
  };
  if (usage !== undefined) whole['usage'] = usage;
  return whole;
};
