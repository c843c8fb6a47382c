import { isRecord } from '../dialects/loose-json.ts';
import type { Countable } from './chat-text.ts';
import { NOTHING_ELIDED, type Elided } from './elided.ts';
import { documentIn, mediaIn, pictureIn, toolPrompt, TYPICAL_DOCUMENT, TYPICAL_VIDEO } from './media-tokens.ts';

type Json = Readonly<Record<string, unknown>>;

// As of chat completions: what a message has around it, and what begins the answer.
const PER_MESSAGE = 3;
const ANSWER_PRIMING = 3;
const TOOLS_FRAME = 9;
const PER_TOOL_CALL = 3;

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? (value as readonly unknown[]) : []);

/** What is read of a prompt on the way through it. */
class Prompt {
  readonly model: string;
  readonly elided: Elided;
  readonly texts: string[] = [];
  tokens = ANSWER_PRIMING;

  constructor(model: string, elided: Elided) {
    this.model = model;
    this.elided = elided;
  }

  say(value: unknown): void {
    if (typeof value === 'string' && value !== '') this.texts.push(value);
  }

  sayJson(value: unknown): void {
    if (value !== undefined && value !== null) this.texts.push(JSON.stringify(value));
  }

  /** Data that are there, of this type. */
  media(type: unknown, data: unknown): void {
    if (typeof data !== 'string') return;
    const named = typeof type === 'string' ? type.toLowerCase() : '';
    this.tokens += mediaIn(this.model, { type: named, text: data, from: 0, elided: this.elided.within(data) });
  }

  /** One that is there, or that lies elsewhere. */
  picture(data: unknown): void {
    const inline = typeof data === 'string' ? { type: 'image/', text: data, from: 0, elided: this.elided.within(data) } : null;
    this.tokens += pictureIn(this.model, inline, null);
  }

  tools(definitions: readonly unknown[], forced: boolean): void {
    if (definitions.length === 0) return;
    this.sayJson(definitions);
    this.tokens += TOOLS_FRAME + toolPrompt(this.model, forced);
  }
}

const readDocument = (source: Json, prompt: Prompt): void => {
  switch (source['type']) {
    case 'base64':
      return prompt.media(source['media_type'], source['data']);
    case 'text':
      return prompt.say(source['data']);
    case 'content':
      prompt.say(source['content']);
      for (const block of listOf(source['content'])) readBlock(block, prompt);
      return;
    default:
      prompt.tokens += documentIn(prompt.model, null);
  }
};

/** Thoughts of earlier turns are not read again, so they do not count. */
const readBlock = (block: unknown, prompt: Prompt): void => {
  if (!isRecord(block)) return;
  const source = isRecord(block['source']) ? block['source'] : {};
  switch (block['type']) {
    case 'text':
      return prompt.say(block['text']);
    case 'image':
      prompt.picture(source['type'] === 'base64' ? source['data'] : null);
      return;
    case 'document':
      prompt.say(block['title']);
      prompt.say(block['context']);
      return readDocument(source, prompt);
    case 'tool_use':
    case 'server_tool_use':
    case 'mcp_tool_use':
      prompt.say(block['name']);
      prompt.sayJson(block['input']);
      prompt.tokens += PER_TOOL_CALL;
      return;
    case 'search_result':
      prompt.say(block['title']);
      prompt.say(block['source']);
      for (const one of listOf(block['content'])) readBlock(one, prompt);
      return;
    case 'container_upload':
      prompt.tokens += TYPICAL_DOCUMENT;
      return;
    case 'thinking':
    case 'redacted_thinking':
      return;
    default:
      // Results of tools, the caller's and Anthropic's own.
      prompt.say(block['content']);
      for (const one of listOf(block['content'])) readBlock(one, prompt);
      if (isRecord(block['content'])) prompt.sayJson(block['content']);
  }
};

/** What of a request of Anthropic's Messages counts as its prompt, for a model of this name. */
export const promptOfMessages = (request: Json, model: string, elided: Elided = NOTHING_ELIDED): Countable => {
  const prompt = new Prompt(model, elided);
  prompt.say(request['system']);
  for (const block of listOf(request['system'])) readBlock(block, prompt);
  for (const message of listOf(request['messages'])) {
    if (!isRecord(message)) continue;
    prompt.tokens += PER_MESSAGE;
    prompt.say(message['role']);
    prompt.say(message['content']);
    for (const block of listOf(message['content'])) readBlock(block, prompt);
  }
  const choice = isRecord(request['tool_choice']) ? request['tool_choice']['type'] : 'auto';
  prompt.tools(listOf(request['tools']), choice === 'any' || choice === 'tool');
  const output = isRecord(request['output_config']) ? request['output_config'] : {};
  if (isRecord(output['format'])) prompt.sayJson(output['format']['schema']);
  return { texts: prompt.texts, tokens: prompt.tokens };
};

const readPart = (part: unknown, prompt: Prompt): void => {
  if (!isRecord(part)) return;
  if (part['thought'] !== true) prompt.say(part['text']);
  const { inlineData, fileData, functionCall: call, functionResponse: response, executableCode: code, codeExecutionResult: result } = part;
  if (isRecord(inlineData)) prompt.media(inlineData['mimeType'], inlineData['data']);
  if (isRecord(fileData)) {
    const type = typeof fileData['mimeType'] === 'string' ? fileData['mimeType'].toLowerCase() : '';
    if (type.startsWith('image/')) prompt.picture(null);
    else prompt.tokens += type === '' || type.startsWith('video/') ? TYPICAL_VIDEO : TYPICAL_DOCUMENT;
  }
  if (isRecord(call)) {
    prompt.say(call['name']);
    prompt.sayJson(call['args']);
    prompt.tokens += PER_TOOL_CALL;
  }
  if (isRecord(response)) {
    prompt.say(response['name']);
    prompt.sayJson(response['response']);
    for (const one of listOf(response['parts'])) readPart(one, prompt);
  }
  if (isRecord(code)) prompt.say(code['code']);
  if (isRecord(result)) prompt.say(result['output']);
};

const readContent = (content: unknown, prompt: Prompt): void => {
  if (!isRecord(content)) return prompt.say(content);
  for (const part of listOf(content['parts'])) readPart(part, prompt);
};

/** The same of a request of Gemini's, names of members in camel case. */
export const promptOfContents = (request: Json, model: string, elided: Elided = NOTHING_ELIDED): Countable => {
  const prompt = new Prompt(model, elided);
  readContent(request['systemInstruction'], prompt);
  for (const content of listOf(request['contents'])) {
    prompt.tokens += PER_MESSAGE;
    if (isRecord(content)) prompt.say(content['role']);
    readContent(content, prompt);
  }
  prompt.tools(listOf(request['tools']), false);
  const generation = isRecord(request['generationConfig']) ? request['generationConfig'] : {};
  prompt.sayJson(generation['responseSchema'] ?? generation['responseJsonSchema']);
  return { texts: prompt.texts, tokens: prompt.tokens };
};
