import type { Refusal } from '../../../schemas/errors.ts';
import type { ChatRequest } from '../../../schemas/openai/chat-request.ts';
import { beyondOneText, imageUrl, isUnsayable, stopsOf, textIn, unsayable } from '../chat/bounds.ts';
import { outputLimitOf } from '../chat/output-limit.ts';
import { turnsOf, type Turn } from '../chat/turns.ts';

type Json = Readonly<Record<string, unknown>>;

/** What the models of an owner call their inputs. */
interface Words {
  readonly system: string;
  readonly limit: string;
  /** Several pictures under this name… */
  readonly images?: string;
  /** …or one. */
  readonly image?: string;
}

const OWNERS: ReadonlyMap<string, Words> = new Map<string, Words>([
  ['openai', { system: 'system_prompt', limit: 'max_completion_tokens', images: 'image_input' }],
  ['google', { system: 'system_instruction', limit: 'max_output_tokens', images: 'images' }],
]);
const OTHERS: Words = { system: 'system_prompt', limit: 'max_tokens', image: 'image' };

const SPEAKERS: Readonly<Record<Turn['role'], string>> = { system: 'System', user: 'User', assistant: 'Assistant', tool: 'Tool' };

const NUMBERS = ['temperature', 'top_p', 'presence_penalty', 'frequency_penalty', 'seed'] as const;

/**
 * A chat request as the input of a language model on Replicate, which takes one prompt: more than one turn is told in it, each with its speaker, the last one the
 * model’s to say. Every model has its own inputs and takes no notice of others; those that most have are sent.
 *
 * Left out: `logprobs`, `logit_bias`, `response_format`, `user`, `store`, `metadata`, `reasoning_effort`, thoughts of earlier turns. Refused by name: tools, audio,
 * files, more than one answer, more than one picture for models that take one.
 */
export const replicateChatInput = (request: ChatRequest, upstreamModel: string, loweredOutput: number | null): Json | Refusal => {
  const beyond = beyondOneText(request);
  if (beyond !== null) return beyond;
  if (Array.isArray(request['tools']) && request['tools'].length > 0 && request['tool_choice'] !== 'none')
    return unsayable('this upstream calls no tools.', 'tools');
  const turns = turnsOf(request.messages);
  if (isUnsayable(turns)) return turns;
  const words = OWNERS.get(upstreamModel.split('/')[0] ?? '') ?? OTHERS;
  const system: string[] = [];
  const said: { speaker: string; text: string }[] = [];
  const images: string[] = [];
  for (const [index, turn] of turns.entries()) {
    const param = `messages.${index}`;
    if (turn.role === 'tool' || (turn.role === 'assistant' && turn.calls.length > 0))
      return unsayable('this upstream calls no tools.', param);
    for (const part of turn.parts) {
      if (part.kind === 'text') continue;
      if (part.kind !== 'image') return unsayable(`${part.kind === 'audio' ? 'audio' : 'files'} cannot be passed on to this model.`, param);
      images.push(imageUrl(part));
      if (images.length > 1 && words.images === undefined) return unsayable('this model looks at one picture.', param);
    }
    const text = textIn(turn.parts);
    if (turn.role === 'system') system.push(text);
    else said.push({ speaker: SPEAKERS[turn.role], text });
  }
  const prompt =
    said.length === 1
      ? (said[0]?.text ?? '')
      : [...said.map(({ speaker, text }) => `${speaker}: ${text}`), ...(said.at(-1)?.speaker === 'User' ? ['Assistant:'] : [])].join(
          '\n\n',
        );
  const limit = outputLimitOf(request, loweredOutput);
  const stops = stopsOf(request['stop']);
  const numbers = NUMBERS.filter((name) => typeof request[name] === 'number').map((name) => [name, request[name]] as const);
  return {
    prompt,
    ...(system.length === 0 ? {} : { [words.system]: system.join('\n\n') }),
    ...(images.length === 0 ? {} : words.images === undefined ? { [words.image ?? 'image']: images[0] } : { [words.images]: images }),
    ...Object.fromEntries(numbers),
    ...(limit === null ? {} : { [words.limit]: limit }),
    ...(stops.length === 0 ? {} : { stop_sequences: stops.join(',') }),
  };
};
