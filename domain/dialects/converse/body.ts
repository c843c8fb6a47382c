import { refuse, type Refusal } from '../../../schemas/errors.ts';
import type { ChatRequest } from '../../../schemas/openai/chat-request.ts';
import { instructionFor } from '../anthropic/messages-body.ts';
import { promptOfTurns } from '../anthropic/prompt-turns.ts';
import { answerFormatOf } from '../chat/answer-format.ts';
import { outputLimitOf } from '../chat/output-limit.ts';
import { toolsOf, type SaidTools } from '../chat/tools.ts';
import { turnsOf } from '../chat/turns.ts';
import { isRecord, textOf } from '../loose-json.ts';

type Json = Readonly<Record<string, unknown>>;

const fault = (what: string, param: string): Refusal => refuse('invalid_request', `${param}: ${what}`, { param });

const isFault = (value: object): value is Refusal => 'refused' in value;

const CACHE_POINT: Json = { cachePoint: { type: 'default' } };

const base64Of = (text: string): string => btoa(String.fromCharCode(...new TextEncoder().encode(text)));

/** Names of documents have letters, digits, single blanks, hyphens and brackets. */
const documentName = (title: unknown, index: number): string => {
  const name = textOf(title)
    .replace(/[^a-zA-Z0-9()[\] -]+/g, ' ')
    .replace(/ +/g, ' ')
    .trim();
  return name === '' ? `Document ${index}` : name.slice(0, 200);
};

const source = (block: Json): Json => (isRecord(block['source']) ? block['source'] : {});

/** A block of Anthropic's as one of Converse's: both keep the same rules of who says what when. `documents` counts up. */
const blockOf = (block: Json, documents: { count: number }): Json | Refusal => {
  switch (block['type']) {
    case 'text':
      return { text: block['text'] };
    case 'image': {
      const { type, media_type: media, data } = source(block);
      if (type !== 'base64') return fault('send images as data URLs: this upstream fetches none.', 'messages');
      return { image: { format: textOf(media).replace('image/', ''), source: { bytes: data } } };
    }
    case 'document': {
      const { type, data } = source(block);
      const name = documentName(block['title'], ++documents.count);
      return type === 'base64'
        ? { document: { format: 'pdf', name, source: { bytes: data } } }
        : { document: { format: 'txt', name, source: { bytes: base64Of(textOf(data)) } } };
    }
    case 'tool_use':
      return { toolUse: { toolUseId: block['id'], name: block['name'], input: block['input'] } };
    case 'tool_result': {
      const content = blocksOf(block['content'], documents);
      if (!Array.isArray(content)) return content;
      return {
        toolResult: {
          toolUseId: block['tool_use_id'],
          content: content.length === 0 ? [{ text: '' }] : content,
          ...(block['is_error'] === true ? { status: 'error' } : {}),
        },
      };
    }
    case 'thinking':
      return { reasoningContent: { reasoningText: { text: block['thinking'], signature: block['signature'] } } };
    default:
      return { reasoningContent: { redactedContent: block['data'] } };
  }
};

const blocksOf = (content: unknown, documents: { count: number }): Json[] | Refusal => {
  if (typeof content === 'string') return [{ text: content }];
  const blocks: Json[] = [];
  for (const block of Array.isArray(content) ? (content as readonly Json[]) : []) {
    const said = blockOf(block, documents);
    if (isFault(said)) return said;
    blocks.push(said);
    if (block['cache_control'] !== undefined) blocks.push(CACHE_POINT);
  }
  return blocks;
};

const NO_MEMBERS: Json = { type: 'object', properties: {} };

const toolMembers = ({ tools, choice }: SaidTools, called: readonly string[]): Json => {
  const offered = choice?.mode === 'none' && called.length === 0 ? [] : tools;
  const specs = offered.map(({ name, description, parameters }) => ({
    toolSpec: { name, ...(description === '' ? {} : { description }), inputSchema: { json: parameters ?? NO_MEMBERS } },
  }));
  // A conversation that calls tools must describe them, even where no more are to be called.
  if (specs.length === 0) for (const name of called) specs.push({ toolSpec: { name, inputSchema: { json: NO_MEMBERS } } });
  if (specs.length === 0) return {};
  const toolChoice =
    choice?.mode === 'required'
      ? { any: {} }
      : choice?.mode === 'named'
        ? { tool: { name: choice.name } }
        : choice?.mode === 'auto'
          ? { auto: {} }
          : null;
  return { toolConfig: { tools: specs, ...(toolChoice === null ? {} : { toolChoice }) } };
};

const inferenceOf = (request: ChatRequest, loweredOutput: number | null): Json => {
  const limit = outputLimitOf(request, loweredOutput);
  const { temperature, top_p: topP, stop } = request;
  const stops = (Array.isArray(stop) ? (stop as readonly unknown[]) : [stop]).filter((one) => typeof one === 'string' && one.trim() !== '');
  const members = {
    ...(limit === null ? {} : { maxTokens: limit }),
    ...(typeof temperature === 'number' ? { temperature: Math.min(1, temperature) } : {}),
    ...(typeof topP === 'number' ? { topP } : {}),
    ...(stops.length === 0 ? {} : { stopSequences: stops }),
  };
  return Object.keys(members).length === 0 ? {} : { inferenceConfig: members };
};

/**
 * A chat request as one of Bedrock's Converse. `temperature` is at most 1; a form that the answer is to have is asked for in words.
 *
 * Left out: `seed`, `logprobs`, `logit_bias`, penalties, `user`, `metadata`, `reasoning_effort`, names of speakers. Refused by name: more than one
 * answer, audio, images by address, files by id.
 */
export const converseBody = (request: ChatRequest, loweredOutput: number | null): Json | Refusal => {
  if ((request.n ?? 1) > 1) return fault('this model gives one answer at a time.', 'n');
  if (request.modalities?.some((modality) => modality !== 'text') === true) return fault('this model answers in text only.', 'modalities');
  const turns = turnsOf(request.messages);
  if (isFault(turns)) return turns;
  const tools = toolsOf(request);
  if (isFault(tools)) return tools;
  const format = answerFormatOf(request['response_format']);
  const prompt = promptOfTurns(turns, format.kind === 'text' ? [] : [instructionFor(format.kind === 'schema' ? format.schema : null)]);
  if (isFault(prompt)) return prompt;
  const documents = { count: 0 };
  const system = blocksOf(prompt.system, documents);
  if (isFault(system)) return system;
  const messages: Json[] = [];
  for (const { role, content } of prompt.messages) {
    const blocks = blocksOf(content, documents);
    if (isFault(blocks)) return blocks;
    messages.push({ role, content: blocks });
  }
  return {
    messages,
    ...(system.length === 0 ? {} : { system }),
    ...inferenceOf(request, loweredOutput),
    ...toolMembers(tools, prompt.called),
  };
};
