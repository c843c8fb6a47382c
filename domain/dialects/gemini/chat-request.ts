import type { GenerateContentRequest, Part, PromptContent } from '../../../schemas/gemini/generate-content-request.ts';
import { isRefusal, refuse, type Refusal } from '../../../schemas/errors.ts';
import { outputLimitField } from '../../relay/output-limit-field.ts';
import { addMember } from '../add-member.ts';
import { jsonSchemaOf } from './json-schema.ts';

type Json = Readonly<Record<string, unknown>>;

/** OpenAI's format takes no more. */
const MOST_STOPS = 4;

/** Below these a budget of thinking tokens is low, or medium. Nobody publishes the figures that lie behind OpenAI's levels. */
const LOW_BUDGET = 2_048;
const MEDIUM_BUDGET = 8_192;

const unsayable = (what: string, param: string): Refusal => refuse('invalid_request', `${param}: ${what}`, { param });

/** What Google's own tools did earlier, and the thoughts of earlier turns, mean nothing to another provider. */
const isLeftOut = (part: Part): boolean => part.thought === true || 'executableCode' in part || 'codeExecutionResult' in part;

const mediaPart = (mimeType: string, data: string, param: string): Json | Refusal => {
  const type = mimeType.toLowerCase();
  if (type.startsWith('image/')) return { type: 'image_url', image_url: { url: `data:${type};base64,${data}` } };
  if (type === 'audio/wav' || type === 'audio/x-wav') return { type: 'input_audio', input_audio: { data, format: 'wav' } };
  if (type === 'audio/mp3' || type === 'audio/mpeg') return { type: 'input_audio', input_audio: { data, format: 'mp3' } };
  if (type === 'application/pdf') return { type: 'file', file: { filename: 'document.pdf', file_data: `data:${type};base64,${data}` } };
  return unsayable(`data of type ${mimeType.slice(0, 60)} cannot be passed on; send images, WAV or MP3 audio, or PDF.`, param);
};

const userPart = (part: Part, param: string): Json | Refusal => {
  if (part.text !== undefined) return { type: 'text', text: part.text };
  if (part.inlineData !== undefined) return mediaPart(part.inlineData.mimeType, part.inlineData.data, param);
  if (part.fileData !== undefined) {
    const { mimeType = 'image/*', fileUri } = part.fileData;
    if (/^https?:/i.test(fileUri) && mimeType.startsWith('image/')) return { type: 'image_url', image_url: { url: fileUri } };
    return unsayable('files that lie at Google cannot be read by another provider; send the data itself.', param);
  }
  return unsayable('a part is text, inlineData, fileData, functionCall or functionResponse.', param);
};

/** What a function answered: the text of the one member that says it, or the whole as JSON. */
const outcomeOf = (response: Json | null | undefined): string => {
  const members = Object.entries(response ?? {});
  const [only] = members;
  if (members.length === 1 && only !== undefined && ['output', 'result', 'content'].includes(only[0]) && typeof only[1] === 'string')
    return only[1];
  return JSON.stringify(response ?? {});
};

/** Ids of calls, which older clients leave out: an answer then belongs to the earliest call of its name that has none yet. */
class CallIds {
  readonly #open: { readonly name: string; readonly id: string }[] = [];
  #made = 0;

  call(name: string, id: string | undefined): string {
    const given = id ?? `call_${this.#made++}`;
    this.#open.push({ name, id: given });
    return given;
  }

  answered(name: string, id: string | undefined): string | null {
    const at = this.#open.findIndex((call) => (id === undefined ? call.name === name : call.id === id));
    return at < 0 ? null : (this.#open.splice(at, 1)[0]?.id ?? null);
  }
}

const contentOf = (parts: readonly Json[]): unknown => (parts.length === 1 && parts[0]?.['type'] === 'text' ? parts[0]['text'] : parts);

const userMessages = (parts: readonly Part[], ids: CallIds, at: string): readonly Json[] | Refusal => {
  const results: Json[] = [];
  const said: Json[] = [];
  for (const [index, part] of parts.entries()) {
    const param = `${at}.parts.${index}`;
    if (part.functionResponse !== undefined) {
      const { name, id, response } = part.functionResponse;
      const call = ids.answered(name, id);
      if (call === null) return unsayable(`there is no call of ${name.slice(0, 60)} that this could answer.`, param);
      results.push({ role: 'tool', tool_call_id: call, content: outcomeOf(response) });
    } else if (!isLeftOut(part)) {
      const one = userPart(part, param);
      if (isRefusal(one)) return one;
      said.push(one);
    }
  }
  return said.length === 0 ? results : [...results, { role: 'user', content: contentOf(said) }];
};

const modelMessage = (parts: readonly Part[], ids: CallIds): Json | null => {
  const texts: string[] = [];
  const calls: Json[] = [];
  for (const part of parts) {
    if (part.functionCall !== undefined) {
      const { name, args, id } = part.functionCall;
      calls.push({ id: ids.call(name, id), type: 'function', function: { name, arguments: JSON.stringify(args ?? {}) } });
    } else if (part.text !== undefined && part.thought !== true) texts.push(part.text);
  }
  const text = texts.join('');
  if (text === '' && calls.length === 0) return null;
  return { role: 'assistant', content: text === '' ? null : text, ...(calls.length === 0 ? {} : { tool_calls: calls }) };
};

const instructionsOf = (system: PromptContent['systemInstruction']): string => {
  if (system === null || system === undefined) return '';
  return typeof system === 'string' ? system : system.parts.map(({ text = '' }) => text).join('\n\n');
};

const messagesOf = ({ systemInstruction, contents }: PromptContent): readonly Json[] | Refusal => {
  const messages: Json[] = [];
  const instructions = instructionsOf(systemInstruction);
  if (instructions !== '') messages.push({ role: 'system', content: instructions });
  const ids = new CallIds();
  for (const [index, { role, parts }] of contents.entries()) {
    if (role === 'model') {
      const message = modelMessage(parts, ids);
      if (message !== null) messages.push(message);
      continue;
    }
    const more = userMessages(parts, ids, `contents.${index}`);
    if (isRefusal(more)) return more;
    messages.push(...more);
  }
  return messages.length === 0 ? unsayable('there is nothing in it that could be passed on.', 'contents') : messages;
};

const toolsOf = (tools: NonNullable<PromptContent['tools']>, allowed: readonly string[] | undefined): readonly Json[] | Refusal => {
  const said: Json[] = [];
  for (const [index, { functionDeclarations = [], ...others }] of tools.entries()) {
    const [other] = Object.keys(others);
    if (other !== undefined) return unsayable(`${other} runs at Google only; declare a function instead.`, `tools.${index}.${other}`);
    for (const { name, description, parameters, parametersJsonSchema } of functionDeclarations) {
      if (allowed !== undefined && allowed.length > 0 && !allowed.includes(name)) continue;
      const schema = parametersJsonSchema ?? (parameters === undefined ? undefined : jsonSchemaOf(parameters));
      said.push({
        type: 'function',
        function: {
          name,
          ...(description === undefined ? {} : { description }),
          parameters: schema ?? { type: 'object', properties: {} },
        },
      });
    }
  }
  return said;
};

/** A mode of Google's as a choice of OpenAI's; where only some functions are allowed, the others are not described in the first place. */
const toolChoiceOf = (mode: string | undefined): string => {
  switch (mode?.toUpperCase()) {
    case 'ANY':
      return 'required';
    case 'NONE':
      return 'none';
    default:
      return 'auto';
  }
};

type Generation = NonNullable<GenerateContentRequest['generationConfig']>;

/** `null`: a text. */
const formatOf = ({ responseMimeType, responseSchema, responseJsonSchema }: Generation): Json | null => {
  const schema = responseJsonSchema ?? (responseSchema === null || responseSchema === undefined ? null : jsonSchemaOf(responseSchema));
  if (schema !== null) return { type: 'json_schema', json_schema: { name: 'answer', schema } };
  return responseMimeType === 'application/json' ? { type: 'json_object' } : null;
};

/** How hard to think, for models of OpenAI's that reason; all others would refuse to be told. */
const effortOf = (model: string, thinking: Generation['thinkingConfig']): string | null => {
  if (thinking === null || thinking === undefined || outputLimitField(model) !== 'max_completion_tokens') return null;
  const { thinkingLevel: level, thinkingBudget: budget } = thinking;
  if (typeof level === 'string') return level.toLowerCase();
  if (typeof budget !== 'number' || budget < 0) return null;
  return budget < LOW_BUDGET ? 'low' : budget < MEDIUM_BUDGET ? 'medium' : 'high';
};

/**
 * A request of Gemini's as one of OpenAI's chat completions.
 *
 * Left out, since it only hints: `topK`, `safetySettings`, `labels`, thoughts of earlier turns with their signatures, what Google's own
 * tools did, all but the first four stop sequences. Refused by name, since leaving it out would change what was asked: Google's own
 * tools, files and cached contents that lie there, several candidates, answers in other modalities than text.
 */
export const chatRequestOf = (model: string, request: GenerateContentRequest, streamed: boolean): Json | Refusal => {
  const messages = messagesOf(request);
  if (isRefusal(messages)) return messages;
  const calling = request.toolConfig?.functionCallingConfig;
  const tools = toolsOf(request.tools ?? [], calling?.allowedFunctionNames);
  if (isRefusal(tools)) return tools;
  const generation: Generation = request.generationConfig ?? {};
  if (request.cachedContent !== null && request.cachedContent !== undefined)
    return unsayable('contents that are cached at Google cannot be read by another provider.', 'cachedContent');
  if ((generation.candidateCount ?? 1) > 1) return unsayable('more than one candidate is not possible.', 'generationConfig.candidateCount');
  if (generation.responseModalities?.some((modality) => modality.toUpperCase() !== 'TEXT') === true)
    return unsayable('answers are text only.', 'generationConfig.responseModalities');
  const stops = (generation.stopSequences ?? []).filter((text) => text !== '').slice(0, MOST_STOPS);
  const said: Record<string, unknown> = { model, messages };
  if (tools.length > 0) {
    said['tools'] = tools;
    if (calling !== undefined) said['tool_choice'] = toolChoiceOf(calling.mode);
  }
  addMember(said, outputLimitField(model), generation.maxOutputTokens);
  addMember(said, 'temperature', generation.temperature);
  addMember(said, 'top_p', generation.topP);
  addMember(said, 'seed', generation.seed);
  addMember(said, 'presence_penalty', generation.presencePenalty);
  addMember(said, 'frequency_penalty', generation.frequencyPenalty);
  if (stops.length > 0) said['stop'] = stops;
  addMember(said, 'response_format', formatOf(generation));
  addMember(said, 'reasoning_effort', effortOf(model, generation.thinkingConfig));
  if (streamed) {
    said['stream'] = true;
    said['stream_options'] = { include_usage: true };
  }
  return said;
};
