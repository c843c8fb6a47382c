import { refuse, type Refusal } from '../../../schemas/errors.ts';
import { isRecord, textOf } from '../loose-json.ts';

type Json = Readonly<Record<string, unknown>>;

const fault = (what: string, param: string): Refusal => refuse('invalid_request', `${param}: ${what}`, { param });

const isFault = (value: object): value is Refusal => 'refused' in value;

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? (value as readonly unknown[]) : []);
const within = (value: unknown, name: string): Json => (isRecord(value) && isRecord(value[name]) ? value[name] : {});

const TEXTS: ReadonlySet<string> = new Set(['txt', 'md', 'csv', 'html']);

const utf8Of = (base64: string): string => {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(base64), (char) => char.charCodeAt(0)));
  } catch {
    return '';
  }
};

const documentOf = (document: Json, param: string): Json | Refusal => {
  const { format, name, source } = document;
  const { bytes, text } = isRecord(source) ? source : {};
  if (typeof text === 'string') return { type: 'document', title: name, source: { type: 'text', media_type: 'text/plain', data: text } };
  if (typeof bytes !== 'string') return fault('only documents whose bytes are in the request can be passed on.', param);
  if (TEXTS.has(textOf(format)))
    return { type: 'document', title: name, source: { type: 'text', media_type: 'text/plain', data: utf8Of(bytes) } };
  if (format !== 'pdf') return fault('documents are PDF or text here.', param);
  return { type: 'document', title: name, source: { type: 'base64', media_type: 'application/pdf', data: bytes } };
};

const resultOf = (result: Json, param: string): Json | Refusal => {
  const content: Json[] = [];
  for (const [index, one] of list(result['content']).entries()) {
    const block = isRecord(one) && one['json'] !== undefined ? { text: JSON.stringify(one['json']) } : one;
    const said = blockOf(block, `${param}.content.${index}`);
    if (said === null) continue;
    if (isFault(said)) return said;
    content.push(said);
  }
  return {
    type: 'tool_result',
    tool_use_id: result['toolUseId'],
    content,
    ...(result['status'] === 'error' ? { is_error: true } : {}),
  };
};

/** A block of Converse's as one of Anthropic's; `null`: one that only hints. */
const blockOf = (block: unknown, param: string): Json | Refusal | null => {
  if (!isRecord(block)) return fault('is not a block.', param);
  if (typeof block['text'] === 'string') return { type: 'text', text: block['text'] };
  if (block['cachePoint'] !== undefined) return null;
  if (isRecord(block['image'])) {
    const { format, source } = block['image'];
    const data = isRecord(source) ? source['bytes'] : undefined;
    if (typeof data !== 'string') return fault('only images whose bytes are in the request can be passed on.', param);
    return { type: 'image', source: { type: 'base64', media_type: `image/${textOf(format)}`, data } };
  }
  if (isRecord(block['document'])) return documentOf(block['document'], param);
  if (isRecord(block['toolUse'])) {
    const { toolUseId: id, name, input } = block['toolUse'];
    return { type: 'tool_use', id, name, input: isRecord(input) ? input : {} };
  }
  if (isRecord(block['toolResult'])) return resultOf(block['toolResult'], param);
  if (isRecord(block['reasoningContent'])) {
    const { text, signature } = within(block['reasoningContent'], 'reasoningText');
    const hidden = block['reasoningContent']['redactedContent'];
    if (typeof text === 'string') return { type: 'thinking', thinking: text, signature: textOf(signature) };
    return { type: 'redacted_thinking', data: textOf(hidden) };
  }
  return fault(`a block of ${Object.keys(block).join(', ').slice(0, 60)} can be read by Bedrock only.`, param);
};

const blocksOf = (content: unknown, param: string): readonly Json[] | Refusal => {
  const blocks: Json[] = [];
  for (const [index, one] of list(content).entries()) {
    const block = blockOf(one, `${param}.${index}`);
    if (block === null) continue;
    if (isFault(block)) return block;
    blocks.push(block);
  }
  return blocks;
};

const toolMembers = (config: unknown): Json => {
  const tools = list(within({ config }, 'config')['tools']).flatMap((tool) => {
    const { name, description, inputSchema, strict } = within(tool, 'toolSpec');
    if (name === undefined) return [];
    const schema = isRecord(inputSchema) ? inputSchema['json'] : undefined;
    return [{ name, ...(description === undefined ? {} : { description }), input_schema: schema, ...(strict === true ? { strict } : {}) }];
  });
  if (tools.length === 0) return {};
  const choice = within(config, 'toolChoice');
  if (choice['any'] !== undefined) return { tools, tool_choice: { type: 'any' } };
  if (isRecord(choice['tool'])) return { tools, tool_choice: { type: 'tool', name: choice['tool']['name'] } };
  return { tools };
};

/** A schema is a text there. */
const formatMember = (request: Json): Json => {
  const described = within(within(within(request['outputConfig'], 'textFormat'), 'structure'), 'jsonSchema')['schema'];
  if (typeof described !== 'string') return {};
  try {
    const schema = JSON.parse(described) as unknown;
    return isRecord(schema) ? { output_config: { format: { type: 'json_schema', schema } } } : {};
  } catch {
    return {};
  }
};

/**
 * The prompt of a request of Bedrock's Converse in the form of Anthropic's Messages, whose blocks are nearly the same.
 *
 * Left out: points for caches, `performanceConfig`, `requestMetadata`, and of `additionalModelRequestFields` everything but Claude's `thinking`.
 * Refused by name: guardrails, stored prompts, and what lies at Amazon.
 */
export const promptFromConverse = (model: string, request: Json): Json | Refusal => {
  for (const name of ['guardrailConfig', 'promptVariables'])
    if (request[name] !== undefined && request[name] !== null) return fault('is for Bedrock only.', name);
  const system = blocksOf(request['system'], 'system');
  if (isFault(system)) return system;
  const messages: Json[] = [];
  for (const [index, one] of list(request['messages']).entries()) {
    const content = blocksOf(isRecord(one) ? one['content'] : null, `messages.${index}.content`);
    if (isFault(content)) return content;
    messages.push({ role: isRecord(one) ? one['role'] : undefined, content });
  }
  const thinking = within(request, 'additionalModelRequestFields')['thinking'];
  return {
    model,
    messages,
    ...(system.length === 0 ? {} : { system }),
    ...toolMembers(request['toolConfig']),
    ...formatMember(request),
    ...(isRecord(thinking) ? { thinking } : {}),
  };
};

/** How to answer, in OpenAI's words, but for the limit of output. */
export const samplingFromConverse = (request: Json): { readonly sampling: Json; readonly maxTokens: unknown } => {
  const { maxTokens, temperature, topP, stopSequences } = within(request, 'inferenceConfig');
  const stops = list(stopSequences).filter((one) => typeof one === 'string' && one.trim() !== '');
  return {
    maxTokens,
    sampling: {
      ...(temperature === undefined ? {} : { temperature }),
      ...(topP === undefined ? {} : { top_p: topP }),
      ...(stops.length === 0 ? {} : { stop: stops.slice(0, 4) }),
    },
  };
};
