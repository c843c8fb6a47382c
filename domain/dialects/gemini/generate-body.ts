import { refuse, type Refusal } from '../../../schemas/errors.ts';
import type { ChatRequest } from '../../../schemas/openai/chat-request.ts';
import { addMember } from '../add-member.ts';
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

type Body = Record<string, unknown>;

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

/** `null`: nothing is said of it. */
const thinkingOf = (asked: unknown, { thinking, isPro }: GeminiTraits): Json | null => {
  const effort = textOf(asked);
  if (thinking === 'none' || (effort !== 'none' && !BUDGETS.has(effort))) return null;
  const isOn = effort !== 'none';
  if (thinking === 'level') return { thinkingLevel: levelFor(effort, isPro), ...(isOn ? { includeThoughts: true } : {}) };
  if (!isOn) return { thinkingBudget: isPro ? LEAST_PRO_BUDGET : 0 };
  return { thinkingBudget: BUDGETS.get(effort), includeThoughts: true };
};

const MODES = { auto: 'AUTO', none: 'NONE', required: 'ANY', named: 'ANY' } as const;

const addTools = (body: Body, request: ChatRequest, { tools, choice }: SaidTools, traits: GeminiTraits): void => {
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
  if (all.length > 0) body['tools'] = all;
  if (choice === null || declared.length === 0) return;
  const allowed = choice.mode === 'named' ? { allowedFunctionNames: [choice.name] } : {};
  body['toolConfig'] = { functionCallingConfig: { mode: MODES[choice.mode], ...allowed } };
};

const addFormat = (generation: Body, request: ChatRequest, traits: GeminiTraits): void => {
  const format = answerFormatOf(request['response_format']);
  if (format.kind === 'text') return;
  generation['responseMimeType'] = 'application/json';
  if (format.kind === 'json') return;
  if (traits.jsonSchema) generation['responseJsonSchema'] = knownJsonSchema(format.schema);
  else generation['responseSchema'] = googleSchema(format.schema);
};

const stopsOf = (stop: unknown): readonly unknown[] =>
  (Array.isArray(stop) ? (stop as readonly unknown[]) : [stop]).filter((one) => typeof one === 'string' && one !== '').slice(0, MOST_STOPS);

/** What Google's own OpenAI-compatible address takes beside OpenAI's members. */
const extrasOf = (request: ChatRequest): Json => {
  const extra = request['extra_body'];
  return isRecord(extra) && isRecord(extra['google']) ? extra['google'] : {};
};

const thinkingConfigOf = (config: Json): Json => {
  const said: Body = {};
  addMember(said, 'thinkingBudget', config['thinking_budget']);
  addMember(said, 'thinkingLevel', config['thinking_level']);
  addMember(said, 'includeThoughts', config['include_thoughts']);
  return said;
};

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
  const stops = stopsOf(request['stop']);
  const { modalities } = request;

  const generation: Body = {};
  addMember(generation, 'temperature', request['temperature']);
  addMember(generation, 'topP', request['top_p']);
  addMember(generation, 'topK', request['top_k']);
  addMember(generation, 'seed', request['seed']);
  addMember(generation, 'presencePenalty', request['presence_penalty']);
  addMember(generation, 'frequencyPenalty', request['frequency_penalty']);
  if ((request.n ?? 1) > 1) generation['candidateCount'] = request.n;
  if (limit !== Infinity) generation['maxOutputTokens'] = limit;
  if (stops.length > 0) generation['stopSequences'] = stops;
  addFormat(generation, request, traits);
  if (modalities?.includes('image') === true) generation['responseModalities'] = modalities.map((modality) => modality.toUpperCase());
  addMember(generation, 'thinkingConfig', isRecord(config) ? thinkingConfigOf(config) : thinkingOf(request['reasoning_effort'], traits));

  const body: Body = { contents: prompt.contents };
  addMember(body, 'systemInstruction', prompt.system);
  addTools(body, request, said, traits);
  if (Object.keys(generation).length > 0) body['generationConfig'] = generation;
  if (request.service_tier === 'flex') body['serviceTier'] = 'flex';
  return body;
};
