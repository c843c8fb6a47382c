import { UNKNOWN_OUTPUT_LIMIT } from '../../pricing/worst-case.ts';
import { refuse, type Refusal } from '../../../schemas/errors.ts';
import type { ChatRequest } from '../../../schemas/openai/chat-request.ts';
import { addMember } from '../add-member.ts';
import { answerFormatOf } from '../chat/answer-format.ts';
import { toolsOf, type SaidTool, type SaidTools } from '../chat/tools.ts';
import { turnsOf } from '../chat/turns.ts';
import { isRecord, textOf } from '../loose-json.ts';
import { claudeTraits, type ClaudeTraits } from './claude-traits.ts';
import { closedSchema } from './closed-schema.ts';
import { promptOfTurns } from './prompt-turns.ts';

type Json = Readonly<Record<string, unknown>>;

/** Where a request goes, and how much it may bring forth. */
export interface MessagesTarget {
  readonly upstreamModel: string;
  /** The most that the model can write, as the price list has it; `null` where it does not say. */
  readonly modelLimit: number | null;
  /** What the money that is set aside covers; `null`: all that was asked for. */
  readonly loweredOutput: number | null;
}

const fault = (what: string, param: string): Refusal => refuse('invalid_request', `${param}: ${what}`, { param });

/** Anthropic takes no less. */
const LEAST_BUDGET = 1_024;

/** Tokens to think with, for models that are told how many. Nobody publishes what lies behind OpenAI's levels; these are what other gateways use. */
const BUDGETS: ReadonlyMap<string, number> = new Map([
  ['minimal', LEAST_BUDGET],
  ['low', LEAST_BUDGET],
  ['medium', 2_048],
  ['high', 4_096],
  ['xhigh', 8_192],
  ['max', 16_384],
]);

const EFFORTS: ReadonlyMap<string, string> = new Map([
  ['minimal', 'low'],
  ['low', 'low'],
  ['medium', 'medium'],
  ['high', 'high'],
  ['xhigh', 'xhigh'],
  ['max', 'max'],
]);

/** An effort that the model does not know is told as the nearest that it does. */
const effortFor = (upstreamModel: string, effort: string): string => (effort === 'xhigh' && /4[-.]6/.test(upstreamModel) ? 'high' : effort);

interface Thinking {
  /** What the request says of it; `null`: nothing. */
  readonly said: Json | null;
  readonly effort: string | null;
  readonly isOn: boolean;
}

const NOT_THINKING: Thinking = { said: null, effort: null, isOn: false };

/** How hard to think, in the words that the model knows. */
const thinkingOf = (asked: unknown, target: MessagesTarget, traits: ClaudeTraits, maxTokens: number, isBarred: boolean): Thinking => {
  const level = textOf(asked);
  if (level === 'none')
    return traits.thinking === 'adaptive' && !traits.disabling
      ? { said: null, effort: 'low', isOn: false }
      : traits.thinking === 'adaptive'
        ? { said: { type: 'disabled' }, effort: null, isOn: false }
        : NOT_THINKING;
  const effort = EFFORTS.get(level);
  if (effort === undefined || traits.thinking === 'none') return NOT_THINKING;
  if (traits.thinking === 'adaptive') {
    const told = effortFor(target.upstreamModel, effort);
    return isBarred ? { said: null, effort: told, isOn: false } : { said: { type: 'adaptive' }, effort: told, isOn: true };
  }
  // The answer's limit holds for thoughts too, and leaves room for at least one token beside them.
  const budget = Math.min(BUDGETS.get(level) ?? LEAST_BUDGET, maxTokens - 1);
  return isBarred || budget < LEAST_BUDGET ? NOT_THINKING : { said: { type: 'enabled', budget_tokens: budget }, effort: null, isOn: true };
};

const addSampling = (body: Record<string, unknown>, { temperature, top_p: topP, top_k: topK }: ChatRequest): void => {
  // Newer models refuse to be told both.
  if (typeof temperature === 'number') body['temperature'] = Math.min(1, temperature);
  else addMember(body, 'top_p', topP);
  addMember(body, 'top_k', topK);
};

const NO_MEMBERS: Json = { type: 'object', properties: {} };

/** The top of a schema of Anthropic's is an object, whatever was said of it. */
const inputSchema = (parameters: Json | null): Json => (parameters === null ? NO_MEMBERS : { ...parameters, type: 'object' });

const toolBlock = ({ name, description, parameters, strict, cache }: SaidTool): Json => ({
  name,
  ...(description === '' ? {} : { description }),
  input_schema: inputSchema(parameters),
  ...(strict ? { strict } : {}),
  ...(cache === null ? {} : { cache_control: cache }),
});

/** `null`: as it is where nothing is said. */
const choiceBlock = ({ choice, parallel }: SaidTools): Json | null => {
  const one = parallel ? {} : { disable_parallel_tool_use: true };
  switch (choice?.mode) {
    case undefined:
      return parallel ? null : { type: 'auto', ...one };
    case 'none':
      return { type: 'none' };
    case 'required':
      return { type: 'any', ...one };
    case 'named':
      return { type: 'tool', name: choice.name, ...one };
    case 'auto':
      return { type: 'auto', ...one };
  }
};

/** A search of the web, at most one: that is what the money was set aside for. */
const searchTool = (options: unknown): readonly Json[] => {
  if (!isRecord(options)) return [];
  const where =
    isRecord(options['user_location']) && isRecord(options['user_location']['approximate'])
      ? options['user_location']['approximate']
      : null;
  return [
    {
      type: 'web_search_20250305',
      name: 'web_search',
      max_uses: 1,
      ...(where === null ? {} : { user_location: { ...where, type: 'approximate' } }),
    },
  ];
};

const toolBlocks = (request: ChatRequest, said: SaidTools, called: readonly string[]): readonly Json[] => {
  const tools = [...said.tools.map(toolBlock), ...searchTool(request['web_search_options'])];
  // A conversation that calls tools must describe them, even where no more are to be called.
  if (tools.length === 0) for (const name of called) tools.push({ name, input_schema: NO_MEMBERS });
  return tools;
};

const stopsOf = (stop: unknown): readonly string[] =>
  (Array.isArray(stop) ? (stop as readonly unknown[]) : [stop]).filter(
    (one): one is string => typeof one === 'string' && one.trim() !== '',
  );

/** What the answer is to be, where there is no other way to say it than to say it. */
export const instructionFor = (schema: Json | null): string =>
  schema === null
    ? 'Answer with one JSON object and nothing else: no words around it, no code fence.'
    : `Answer with one JSON value and nothing else: no words around it, no code fence. It must fit this JSON Schema:\n${JSON.stringify(schema)}`;

/** What of a chat request has no counterpart in Anthropic's format and would change the answer if it were left out. */
const unsayable = (request: ChatRequest): Refusal | null => {
  if ((request.n ?? 1) > 1) return fault('this model gives one answer at a time.', 'n');
  if (request.modalities?.some((modality) => modality !== 'text') === true) return fault('this model answers in text only.', 'modalities');
  return null;
};

/**
 * A chat request as one of Anthropic's Messages.
 *
 * Left out, since it only hints or the model would refuse it: `seed`, `logprobs`, `logit_bias`, penalties, `prediction`, `store`, `metadata`,
 * names of speakers, `verbosity`, sampling where the model takes none or thinks. Refused by name: more than one answer, audio, files by id,
 * tools that are no functions. `temperature` is at most 1.
 */
export const messagesBody = (request: ChatRequest, target: MessagesTarget): Json | Refusal => {
  const barred = unsayable(request);
  if (barred !== null) return barred;
  const traits = claudeTraits(target.upstreamModel);
  const turns = turnsOf(request.messages);
  if ('refused' in turns) return turns;
  const said = toolsOf(request);
  if ('refused' in said) return said;
  const format = answerFormatOf(request['response_format']);
  const structured = format.kind === 'schema' && traits.structured;
  const instructions = format.kind === 'text' || structured ? [] : [instructionFor(format.kind === 'schema' ? format.schema : null)];
  const prompt = promptOfTurns(turns, instructions);
  if ('refused' in prompt) return prompt;

  const asked = Math.max(request.max_tokens ?? 0, request.max_completion_tokens ?? 0);
  const most = Math.min(target.modelLimit ?? Infinity, traits.maxOutput ?? Infinity, target.loweredOutput ?? Infinity);
  // Anthropic must be told a limit, and no more can be asked for than was set aside.
  const maxTokens = Math.min(asked === 0 ? (target.modelLimit ?? UNKNOWN_OUTPUT_LIMIT) : asked, most);
  // Models that are told how many tokens to think with cannot be forced to call a tool while they do.
  const isForced = traits.thinking === 'budget' && (said.choice?.mode === 'required' || said.choice?.mode === 'named');
  const thinking = thinkingOf(request['reasoning_effort'], target, traits, maxTokens, prompt.forgotThoughts || isForced);
  const output: Record<string, unknown> = {};
  addMember(output, 'effort', thinking.effort);
  if (structured) output['format'] = { type: 'json_schema', schema: closedSchema(format.schema) };
  const tools = toolBlocks(request, said, prompt.called);
  const stops = stopsOf(request['stop']);
  const user = textOf(request['safety_identifier']) || textOf(request['user']);

  const body: Record<string, unknown> = { model: target.upstreamModel, max_tokens: maxTokens };
  addMember(body, 'system', prompt.system);
  body['messages'] = prompt.messages;
  if (tools.length > 0) {
    body['tools'] = tools;
    addMember(body, 'tool_choice', choiceBlock(said));
  }
  addMember(body, 'thinking', thinking.said);
  if (thinking.effort !== null || structured) body['output_config'] = output;
  if (traits.sampling && !thinking.isOn) addSampling(body, request);
  if (stops.length > 0) body['stop_sequences'] = stops;
  if (user !== '') body['metadata'] = { user_id: user };
  if (request.service_tier === 'default') body['service_tier'] = 'standard_only';
  if (isRecord(request['cache_control'])) body['cache_control'] = request['cache_control'];
  if (request.stream === true) body['stream'] = true;
  return body;
};
