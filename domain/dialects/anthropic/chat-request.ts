import type { CountTokensRequest, Document, Image, MessagesRequest, ToolResult } from '../../../schemas/anthropic/messages-request.ts';
import { isKnownBlock } from '../../../schemas/anthropic/messages-request.ts';
import { refuse, type Refusal } from '../../../schemas/errors.ts';
import { addMember } from '../add-member.ts';
import { reasoningDetail, type ReasoningDetail } from '../chat/reasoning-details.ts';
import { isRecord, textOf as textIn } from '../loose-json.ts';
import { CLAUDE_REASONING } from './claude-reasoning.ts';
import { outputLimitField } from '../../relay/output-limit-field.ts';

type Json = Readonly<Record<string, unknown>>;
type Message = MessagesRequest['messages'][number];

/** OpenAI's format takes no more. */
const MOST_STOPS = 4;
const LONGEST_USER = 64;
const LONGEST_NAME = 64;

/** Below these a budget of thinking tokens is low, or medium. Nobody publishes the figures that lie behind OpenAI's levels. */
const LOW_BUDGET = 2_048;
const MEDIUM_BUDGET = 8_192;

/** What cannot be said in OpenAI's format is refused by name: left out, it would change what was asked. */
class Unsayable {
  readonly refusal: Refusal;

  constructor(what: string, param: string) {
    this.refusal = refuse('invalid_request', `${param}: ${what}`, { param });
  }
}

/** What is to be kept in a cache up to here, for upstreams that understand it. */
const hintOf = (block: Json, extras: boolean): Json =>
  extras && isRecord(block['cache_control']) ? { cache_control: block['cache_control'] } : {};

const imagePart = ({ source }: Image, param: string): Json | Unsayable => {
  if (source.type === 'file')
    return new Unsayable('files that were uploaded to Anthropic cannot be read by another provider; send the image itself.', param);
  const url = source.type === 'url' ? source.url : `data:${source.media_type};base64,${source.data}`;
  return { type: 'image_url', image_url: { url } };
};

const textPart = (text: string): Json => ({ type: 'text', text });

/** Parts of a user's message that a document comes to. */
const documentParts = ({ source, title }: Document, param: string): readonly Json[] | Unsayable => {
  const titled = (text: string): string => (title === null || title === undefined || title === '' ? text : `${title}\n\n${text}`);
  switch (source.type) {
    case 'text':
      return [textPart(titled(source.data))];
    case 'content': {
      if (typeof source.content === 'string') return [textPart(titled(source.content))];
      const parts: Json[] = [];
      for (const block of source.content) {
        const part = block.type === 'text' ? textPart(block.text) : imagePart(block, param);
        if (part instanceof Unsayable) return part;
        parts.push(part);
      }
      return parts;
    }
    case 'base64':
      return [
        {
          type: 'file',
          file: { filename: (title ?? '') === '' ? 'document.pdf' : title, file_data: `data:${source.media_type};base64,${source.data}` },
        },
      ];
    default:
      return new Unsayable(`a document's source of type ${source.type} can be read by Anthropic only; send the document itself.`, param);
  }
};

/** One text stays a text; anything else is a list of parts. */
const contentOf = (parts: readonly Json[]): unknown => {
  const [only] = parts;
  return parts.length === 1 && only?.['type'] === 'text' && only['cache_control'] === undefined ? only['text'] : parts;
};

interface SaidResult {
  readonly message: Json;
  /** Images and documents have no place in a tool's message; they follow in the user's. */
  readonly parts: readonly Json[];
}

const toolMessage = (result: ToolResult, param: string, extras: boolean): SaidResult | Unsayable => {
  const texts: string[] = [];
  const parts: Json[] = [];
  for (const block of typeof result.content === 'string' ? [textBlock(result.content)] : (result.content ?? [])) {
    if (block.type === 'text') texts.push(block.text);
    else if (block.type === 'search_result') texts.push(searchText(block));
    else {
      const more = block.type === 'image' ? imagePart(block, param) : documentParts(block, param);
      if (more instanceof Unsayable) return more;
      texts.push(`(${block.type === 'image' ? 'An image' : 'A document'} follows in the next message.)`);
      parts.push(...(Array.isArray(more) ? (more as readonly Json[]) : [more as Json]));
    }
  }
  const text = texts.join('\n');
  return {
    message: {
      role: 'tool',
      tool_call_id: result.tool_use_id,
      content: result.is_error === true ? `Error: ${text === '' ? 'the tool failed.' : text}` : text,
      ...hintOf(result, extras),
    },
    parts,
  };
};

const textBlock = (text: string): { readonly type: 'text'; readonly text: string } => ({ type: 'text', text });

const searchText = ({
  source,
  title,
  content,
}: {
  readonly source: string;
  readonly title: string;
  readonly content: readonly { readonly text: string }[];
}): string => `${title} (${source})\n${content.map(({ text }) => text).join('\n')}`;

/** Results of tools come first, each a message of its own, as OpenAI's format wants them behind the calls; then what the user said. */
const userMessages = (content: Message['content'], at: string, extras: boolean): readonly Json[] | Unsayable => {
  if (typeof content === 'string') return [{ role: 'user', content }];
  const results: Json[] = [];
  const parts: Json[] = [];
  for (const [index, block] of content.entries()) {
    const param = `${at}.content.${index}`;
    if (!isKnownBlock(block)) return new Unsayable(`a block of type ${block.type} can be read by Anthropic only.`, param);
    switch (block.type) {
      case 'text':
        parts.push({ ...textPart(block.text), ...hintOf(block, extras) });
        break;
      case 'search_result':
        parts.push({ ...textPart(searchText(block)), ...hintOf(block, extras) });
        break;
      case 'image': {
        const part = imagePart(block, param);
        if (part instanceof Unsayable) return part;
        parts.push({ ...part, ...hintOf(block, extras) });
        break;
      }
      case 'document': {
        const more = documentParts(block, param);
        if (more instanceof Unsayable) return more;
        parts.push(...more.map((part, place) => (place === more.length - 1 ? { ...part, ...hintOf(block, extras) } : part)));
        break;
      }
      case 'tool_result': {
        const said = toolMessage(block, param, extras);
        if (said instanceof Unsayable) return said;
        results.push(said.message);
        parts.push(...said.parts);
        break;
      }
      default:
        return new Unsayable(`a block of type ${block.type} belongs into a message of the assistant.`, param);
    }
  }
  return parts.length === 0 ? results : [...results, { role: 'user', content: contentOf(parts) }];
};

/** A thought with its signature, as the hub carries it. */
const thoughtOf = (block: Json): ReasoningDetail | null => {
  const { signature, data } = block;
  if (typeof signature === 'string' && signature !== '')
    return { kind: 'text', text: textIn(block['thinking']), signature, format: CLAUDE_REASONING };
  return typeof data === 'string' && data !== '' ? { kind: 'encrypted', data, format: CLAUDE_REASONING } : null;
};

/**
 * What the assistant said: its texts, and its calls of tools. Thoughts are for upstreams that hand them on: a signature means nothing to
 * another provider, and none but Anthropic asks for earlier thoughts back. What Anthropic's own tools did is left out; its outcome is in
 * the text.
 */
const assistantMessage = (content: Message['content'], at: string, extras: boolean): Json | null | Unsayable => {
  if (typeof content === 'string') return content === '' ? null : { role: 'assistant', content };
  const texts: string[] = [];
  const calls: Json[] = [];
  const thoughts: ReasoningDetail[] = [];
  for (const [index, block] of content.entries()) {
    if (!isKnownBlock(block)) continue;
    if (block.type === 'thinking' || block.type === 'redacted_thinking') {
      const thought = extras ? thoughtOf(block) : null;
      if (thought !== null) thoughts.push(thought);
    } else if (block.type === 'text') texts.push(block.text);
    else if (block.type === 'tool_use')
      calls.push({ id: block.id, type: 'function', function: { name: block.name, arguments: JSON.stringify(block.input) } });
    else return new Unsayable(`a block of type ${block.type} belongs into a message of the user.`, `${at}.content.${index}`);
  }
  const text = texts.join('');
  if (text === '' && calls.length === 0) return null;
  return {
    role: 'assistant',
    content: text === '' ? null : text,
    ...(thoughts.length === 0 ? {} : { reasoning_details: thoughts.map(reasoningDetail) }),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
};

/** Instructions as one text; as parts where some of them are to be kept in a cache. */
const systemContent = (system: NonNullable<MessagesRequest['system']>, extras: boolean): unknown => {
  const isHinted = typeof system !== 'string' && extras && system.some((block) => isRecord(block['cache_control']));
  return isHinted ? system.map((block) => ({ ...textPart(block.text), ...hintOf(block, extras) })) : textOf(system);
};

const textOf = (content: Message['content'] | NonNullable<MessagesRequest['system']>): string =>
  typeof content === 'string'
    ? content
    : content.flatMap((block) => ('text' in block && typeof block.text === 'string' ? [block.text] : [])).join('\n\n');

const messagesOf = ({ system, messages }: CountTokensRequest, extras: boolean): readonly Json[] | Unsayable => {
  const said: Json[] = [];
  const instructions = system === null || system === undefined ? '' : textOf(system);
  if (instructions !== '') said.push({ role: 'system', content: systemContent(system ?? '', extras) });
  for (const [index, { role, content }] of messages.entries()) {
    const at = `messages.${index}`;
    if (role === 'user') {
      const more = userMessages(content, at, extras);
      if (more instanceof Unsayable) return more;
      said.push(...more);
    } else if (role === 'system') said.push({ role: 'system', content: textOf(content) });
    else {
      const message = assistantMessage(content, at, extras);
      if (message instanceof Unsayable) return message;
      if (message !== null) said.push(message);
    }
  }
  return said;
};

const toolsOf = (tools: NonNullable<CountTokensRequest['tools']>, extras: boolean): readonly Json[] | Unsayable => {
  const said: Json[] = [];
  for (const [index, tool] of tools.entries()) {
    const { type, name, description, input_schema: parameters, strict } = tool;
    if (type !== null && type !== undefined && type !== 'custom')
      return new Unsayable(
        `tools of type ${type} run at Anthropic only; describe the tool with a schema of its own instead.`,
        `tools.${index}`,
      );
    if (name.length > LONGEST_NAME) return new Unsayable(`a tool's name has at most ${LONGEST_NAME} characters.`, `tools.${index}.name`);
    said.push({
      type: 'function',
      function: {
        name,
        ...(description === undefined ? {} : { description }),
        parameters: parameters ?? { type: 'object', properties: {} },
        ...(strict === true ? { strict } : {}),
      },
      ...hintOf(tool, extras),
    });
  }
  return said;
};

const choiceMembers = (choice: NonNullable<CountTokensRequest['tool_choice']>): Json => {
  const parallel = 'disable_parallel_tool_use' in choice && choice.disable_parallel_tool_use === true ? { parallel_tool_calls: false } : {};
  switch (choice.type) {
    case 'auto':
      return { tool_choice: 'auto', ...parallel };
    case 'any':
      return { tool_choice: 'required', ...parallel };
    case 'tool':
      return { tool_choice: { type: 'function', function: { name: choice.name } }, ...parallel };
    case 'none':
      return { tool_choice: 'none' };
  }
};

/**
 * How hard to think, where the model knows such a thing: an effort is passed on as it is; a budget becomes a level for models of OpenAI's
 * that reason, and is left out for all others, which would refuse it.
 */
const effortOf = ({ model, thinking, output_config: output }: CountTokensRequest): string | null => {
  if (typeof output?.effort === 'string') return output.effort;
  if (thinking?.type !== 'enabled' || outputLimitField(model) !== 'max_completion_tokens') return null;
  const budget = thinking.budget_tokens ?? MEDIUM_BUDGET;
  return budget < LOW_BUDGET ? 'low' : budget < MEDIUM_BUDGET ? 'medium' : 'high';
};

/** The parts that cost input tokens, in the form of OpenAI's chat completions. */
const promptOf = (request: CountTokensRequest, extras: boolean): Record<string, unknown> | Unsayable => {
  const messages = messagesOf(request, extras);
  if (messages instanceof Unsayable) return messages;
  const { tools, tool_choice: choice, output_config: output } = request;
  const described = tools === null || tools === undefined || tools.length === 0 ? [] : toolsOf(tools, extras);
  if (described instanceof Unsayable) return described;
  const schema = output?.format?.schema;
  const prompt: Record<string, unknown> = { model: request.model, messages };
  if (described.length > 0) {
    prompt['tools'] = described;
    if (choice !== null && choice !== undefined) Object.assign(prompt, choiceMembers(choice));
  }
  if (schema !== undefined) prompt['response_format'] = { type: 'json_schema', json_schema: { name: 'answer', schema, strict: true } };
  addMember(prompt, 'reasoning_effort', effortOf(request));
  return prompt;
};

/** The prompt of a request to count tokens, as a request of OpenAI's chat completions; or what of it cannot be said there. */
export const promptInChatForm = (request: CountTokensRequest): Json | Refusal => {
  const prompt = promptOf(request, false);
  return prompt instanceof Unsayable ? prompt.refusal : prompt;
};

/**
 * A request of Anthropic's Messages as one of OpenAI's chat completions.
 *
 * What has no counterpart there is left out where it only hints (`top_k`, `cache_control`, a service tier, thoughts of earlier turns, all
 * but the first four stop sequences), and refused by name where leaving it out would change what was asked (tools and files of
 * Anthropic's own, unknown blocks in what the user said). With `extras`, for upstreams that understand them, hints for caches and thoughts
 * with their signatures stay, in the members in which the hub carries them.
 */
export const chatRequestOf = (request: MessagesRequest, extras: boolean): Json | Refusal => {
  const said = promptOf(request, extras);
  if (said instanceof Unsayable) return said.refusal;
  const stops = (request.stop_sequences ?? []).filter((text) => text.trim() !== '').slice(0, MOST_STOPS);
  const user = request.metadata?.user_id;
  said[outputLimitField(request.model)] = request.max_tokens;
  if (extras && isRecord(request['cache_control'])) said['cache_control'] = request['cache_control'];
  addMember(said, 'temperature', request.temperature);
  addMember(said, 'top_p', request.top_p);
  if (stops.length > 0) said['stop'] = stops;
  if (typeof user === 'string' && user !== '') said['user'] = user.slice(0, LONGEST_USER);
  if (request.stream === true) {
    said['stream'] = true;
    said['stream_options'] = { include_usage: true };
  }
  return said;
};
