import { refuse, type Refusal } from '../../../schemas/errors.ts';
import type { ChatRequest } from '../../../schemas/openai/chat-request.ts';
import { answerFormatOf } from '../chat/answer-format.ts';
import { toolsOf, type SaidTools } from '../chat/tools.ts';
import { turnsOf } from '../chat/turns.ts';
import { isRecord, textOf } from '../loose-json.ts';
import { contentsOfTurns } from './contents.ts';
import { geminiTraits, type GeminiTraits } from './gemini-traits.ts';
import { googleSchema, knownJsonSchema } from './google-schema.ts';

type Json = Readonly<Record<string, unknown>>;

export interface GenerateTarget {
  readonly upstreamModel: string;
  /** What the money that is set aside covers; `null`: all that was asked for. */
  readonly loweredOutput: number | null;
}

/** Google takes no more. */
const MOST_STOPS = 5;
const MOST_CANDIDATES = 8;

/** Tokens to think with, for models that are told how many: what Google's own OpenAI-compatible address and other gateways make of the levels. */
const BUDGETS: ReadonlyMap<string, number> = new Map([
  ['minimal', 512],
  ['low', 1_024],
  ['medium', 2_048],
  ['high', 4_096],
  ['xhigh', 8_192],
  ['max', 24_576],
]);

/** The larger models always think, at least this much. */
const LEAST_PRO_BUDGET = 128;

const fault = (what: string, param: string): Refusal => refuse('invalid_request', `${param}: ${what}`, { param });

const given = (name: string, value: unknown): Json => (value === null || value === undefined ? {} : { [name]: value });

const levelFor = (effort: string, isPro: boolean): string => {
  switch (effort) {
    case 'none':
    case 'minimal':
      return isPro ? 'LOW' : 'MINIMAL';
    case 'low':
      return 'LOW';
    case 'medium':
      return isPro ? 'HIGH' : 'MEDIUM';
    default:
      return 'HIGH';
  }
};

const thinkingOf = (asked: unknown, { thinking, isPro }: GeminiTraits): Json => {
  const effort = textOf(asked);
  if (thinking === 'none' || (effort !== 'none' && !BUDGETS.has(effort))) return {};
  const isOn = effort !== 'none';
  if (thinking === 'level')
    return { thinkingConfig: { thinkingLevel: levelFor(effort, isPro), ...(isOn ? { includeThoughts: true } : {}) } };
  if (!isOn) return { thinkingConfig: { thinkingBudget: isPro ? LEAST_PRO_BUDGET : 0 } };
  return { thinkingConfig: { thinkingBudget: BUDGETS.get(effort), includeThoughts: true } };
};

const toolMembers = (request: ChatRequest, { tools, choice }: SaidTools, traits: GeminiTraits): Json => {
  const declared = tools.map(({ name, description, parameters }): Json => ({
    name,
    ...(description === '' ? {} : { description }),
    ...(parameters === null || Object.keys(parameters['properties'] ?? {}).length === 0
      ? {}
      : traits.jsonSchema
        ? { parametersJsonSchema: knownJsonSchema(parameters) }
        : { parameters: googleSchema(parameters) }),
  }));
  const all = [
    ...(declared.length === 0 ? [] : [{ functionDeclarations: declared }]),
    ...(isRecord(request['web_search_options']) ? [{ googleSearch: {} }] : []),
  ];
  const mode = { auto: 'AUTO', none: 'NONE', required: 'ANY', named: 'ANY' } as const;
  return {
    ...(all.length === 0 ? {} : { tools: all }),
    ...(choice === null || declared.length === 0
      ? {}
      : {
          toolConfig: {
            functionCallingConfig: { mode: mode[choice.mode], ...(choice.mode === 'named' ? { allowedFunctionNames: [choice.name] } : {}) },
          },
        }),
  };
};

const formatMembers = (request: ChatRequest, traits: GeminiTraits): Json => {
  const format = answerFormatOf(request['response_format']);
  if (format.kind === 'text') return {};
  const json = { responseMimeType: 'application/json' };
  if (format.kind === 'json') return json;
  return traits.jsonSchema
    ? { ...json, responseJsonSchema: knownJsonSchema(format.schema) }
    : { ...json, responseSchema: googleSchema(format.schema) };
};

const stopsOf = (stop: unknown): Json => {
  const texts = (Array.isArray(stop) ? (stop as readonly unknown[]) : [stop]).filter((one) => typeof one === 'string' && one !== '');
  return texts.length === 0 ? {} : { stopSequences: texts.slice(0, MOST_STOPS) };
};

const modalitiesOf = (modalities: ChatRequest['modalities']): Json =>
  modalities?.includes('image') === true ? { responseModalities: modalities.map((modality) => modality.toUpperCase()) } : {};

/** What Google's own OpenAI-compatible address takes beside OpenAI's members. */
const extrasOf = (request: ChatRequest): Json => {
  const extra = request['extra_body'];
  return isRecord(extra) && isRecord(extra['google']) ? extra['google'] : {};
};

const thinkingConfigOf = (config: Json): Json => ({
  thinkingConfig: {
    ...given('thinkingBudget', config['thinking_budget']),
    ...given('thinkingLevel', config['thinking_level']),
    ...given('includeThoughts', config['include_thoughts']),
  },
});

const unsayable = (request: ChatRequest): Refusal | null => {
  if (request.modalities?.some((modality) => modality !== 'text' && modality !== 'image') === true)
    return fault('this model answers in text and images only.', 'modalities');
  if ((request.n ?? 1) > MOST_CANDIDATES) return fault(`this model gives at most ${MOST_CANDIDATES} answers at a time.`, 'n');
  // What lies in a cache of Google's cannot be seen from here, and money could not be set aside for it.
  if ((extrasOf(request)['cached_content'] ?? null) !== null)
    return fault('cached contents cannot be passed on; ask in Gemini’s own format.', 'extra_body.google.cached_content');
  return null;
};

/**
 * A chat request as one of Google's generateContent.
 *
 * Left out, since it only hints or has no counterpart: `logprobs`, `logit_bias`, `prediction`, `store`, `metadata`, `user`, `verbosity`,
 * `parallel_tool_calls`, names of speakers, hints for caches, all but the first five stop sequences. Refused by name: spoken answers, files
 * by id, tools that are no functions.
 */
export const generateBody = (request: ChatRequest, { upstreamModel, loweredOutput }: GenerateTarget): Json | Refusal => {
  const barred = unsayable(request);
  if (barred !== null) return barred;
  const traits = geminiTraits(upstreamModel);
  const turns = turnsOf(request.messages);
  if ('refused' in turns) return turns;
  const said = toolsOf(request);
  if ('refused' in said) return said;
  const prompt = contentsOfTurns(turns, traits);
  if ('refused' in prompt) return prompt;
  const asked = Math.max(request.max_tokens ?? 0, request.max_completion_tokens ?? 0);
  const limit = Math.min(asked === 0 ? Infinity : asked, loweredOutput ?? Infinity);
  const config = extrasOf(request)['thinking_config'];
  const generation: Json = {
    ...given('temperature', request['temperature']),
    ...given('topP', request['top_p']),
    ...given('topK', request['top_k']),
    ...given('seed', request['seed']),
    ...given('presencePenalty', request['presence_penalty']),
    ...given('frequencyPenalty', request['frequency_penalty']),
    ...((request.n ?? 1) > 1 ? { candidateCount: request.n } : {}),
    ...(limit === Infinity ? {} : { maxOutputTokens: limit }),
    ...stopsOf(request['stop']),
    ...formatMembers(request, traits),
    ...modalitiesOf(request.modalities),
    ...(isRecord(config) ? thinkingConfigOf(config) : thinkingOf(request['reasoning_effort'], traits)),
  };
  return {
    contents: prompt.contents,
    ...prompt.system,
    ...toolMembers(request, said, traits),
    ...(Object.keys(generation).length === 0 ? {} : { generationConfig: generation }),
    ...(request.service_tier === 'flex' ? { serviceTier: 'flex' } : {}),
  };
};
