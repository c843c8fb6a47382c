import type { SandboxChatRequest } from '../../schemas/openai/sandbox-request.ts';
import { exampleValue } from './example-value.ts';
import { hashOf, storyFor, tokensOf } from './text.ts';

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
}

/** What the simulated model says to one request. */
export interface Reply {
  readonly reasoning: readonly string[];
  readonly text: readonly string[];
  readonly tools: readonly ToolCall[];
  readonly finish: 'stop' | 'length' | 'tool_calls';
  readonly promptTokens: number;
}

const textOf = (content: unknown): string => {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .map((part: unknown) => (typeof part === 'object' && part !== null && 'text' in part && typeof part.text === 'string' ? part.text : ''))
    .filter((text) => text !== '')
    .join('\n');
};

const lastOf = (request: SandboxChatRequest, role: string): string =>
  textOf(request.messages.findLast((message) => message.role === role)?.content);

const promptTokens = (request: SandboxChatRequest): number =>
  request.messages.reduce((sum, message) => sum + 3 + tokensOf(textOf(message.content)).length, 3) +
  ((request.tools ?? null) === null ? 0 : tokensOf(JSON.stringify(request.tools)).length);

/** The tools that this reply calls: on the tools model whenever it is offered any, elsewhere only when told to. */
const toolCalls = (request: SandboxChatRequest): readonly ToolCall[] => {
  const { tools, tool_choice: choice } = request;
  if (tools === undefined || tools === null || choice === 'none' || request.messages.at(-1)?.role === 'tool') return [];
  const named =
    typeof choice === 'object' && choice !== null && 'function' in choice ? (choice.function as { name?: unknown }).name : undefined;
  if (request.model !== 'sandbox-tools' && choice !== 'required' && named === undefined) return [];
  const prompt = lastOf(request, 'user');
  const words = tokensOf(prompt).slice(0, 8).join('').trim() || 'sandbox';
  const callable = tools.filter((tool) => tool.function !== undefined && (named === undefined || tool.function.name === named));
  return callable.slice(0, request.parallel_tool_calls === false ? 1 : 2).map((tool, index) => ({
    id: `call_sandbox_${hashOf(`${index} ${prompt}`).toString(36)}`,
    name: tool.function?.name ?? '',
    arguments: JSON.stringify(exampleValue(tool.function?.parameters ?? {}, words)),
  }));
};

const saying = (request: SandboxChatRequest): string => {
  const format = request.response_format;
  const prompt = lastOf(request, 'user');
  if (format?.type === 'json_schema') return JSON.stringify(exampleValue(format.json_schema?.schema, prompt.slice(0, 80)));
  if (format?.type === 'json_object') return JSON.stringify({ echo: prompt.slice(0, 200) });
  if (request.messages.at(-1)?.role === 'tool') return `The tool answered: ${lastOf(request, 'tool')}`;
  switch (request.model) {
    case 'sandbox-echo':
      return prompt === '' ? 'You said nothing.' : prompt;
    case 'sandbox-reasoning':
      return `Having thought about it: ${storyFor(prompt).split('\n\n')[1] ?? ''}`;
    case 'sandbox-tools':
      return `There was no tool to call, so here is your message back: ${prompt}`;
    default:
      return storyFor(prompt);
  }
};

const cutAtStop = (text: string, stop: SandboxChatRequest['stop']): string => {
  let end = text.length;
  for (const word of typeof stop === 'string' ? [stop] : (stop ?? [])) {
    const at = word === '' ? -1 : text.indexOf(word);
    if (at >= 0 && at < end) end = at;
  }
  return text.slice(0, end);
};

/** Deterministic: the same request gets the same reply. Limits count reasoning too, as they do elsewhere. */
export const replyTo = (request: SandboxChatRequest, limit: number): Reply => {
  const asked = request.max_completion_tokens ?? request.max_tokens ?? limit;
  const most = Math.min(asked, limit);
  const tools = toolCalls(request);
  const prompt = promptTokens(request);
  if (tools.length > 0) return { reasoning: [], text: [], tools, finish: 'tool_calls', promptTokens: prompt };
  const thoughts =
    request.model === 'sandbox-reasoning'
      ? tokensOf(`Somebody asks: ${lastOf(request, 'user')}. What would be a good answer? One that comes after a pause.`)
      : [];
  const reasoning = thoughts.slice(0, most);
  const whole = tokensOf(cutAtStop(saying(request), request.stop));
  const text = whole.slice(0, most - reasoning.length);
  return {
    reasoning,
    text,
    tools: [],
    finish: text.length < whole.length || reasoning.length < thoughts.length ? 'length' : 'stop',
    promptTokens: prompt,
  };
};

/** Tokens that a reply is billed as output. */
export const outputTokens = ({ reasoning, text, tools }: Reply): number =>
  reasoning.length + text.length + tools.reduce((sum, tool) => sum + tokensOf(`${tool.name} ${tool.arguments}`).length, 0);
