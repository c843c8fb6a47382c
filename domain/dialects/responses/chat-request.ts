import { isRefusal, refuse, type Refusal } from '../../../schemas/errors.ts';
import type { ResponsesRequest, Tool, ToolChoice } from '../../../schemas/responses/responses-request.ts';
import { outputLimitField } from '../../relay/output-limit-field.ts';
import { InputMessages } from './input-messages.ts';
import { Unsayables } from './unsayable.ts';

type Json = Readonly<Record<string, unknown>>;

const LONGEST_NAME = 64;

/** A request of the Responses API in the form of chat completions. */
export interface SaidInChat {
  readonly chat: Json;
  /** What of it could not be said there; `null`: all is said. */
  readonly unsayable: Refusal | null;
}

const given = (name: string, value: unknown): Json => (value === null || value === undefined ? {} : { [name]: value });

/** A tool that takes any text, for those who only know tools that take JSON. */
const customParameters = ({ format }: Tool): Json => ({
  type: 'object',
  properties: {
    input: {
      type: 'string',
      ...(typeof format?.definition === 'string'
        ? { description: `A text of this grammar${typeof format.syntax === 'string' ? ` (${format.syntax})` : ''}:\n${format.definition}` }
        : {}),
    },
  },
  required: ['input'],
  additionalProperties: false,
});

const toolsOf = (tools: readonly Tool[], unsayables: Unsayables): readonly Json[] => {
  const said: Json[] = [];
  for (const [index, tool] of tools.entries()) {
    const place = `tools.${index}`;
    const { type, name, description, parameters, strict } = tool;
    if (type !== 'function' && type !== 'custom') {
      unsayables.add(`tools of type ${type} run at OpenAI only; describe the tool with a schema of its own instead.`, place);
    } else if (typeof name !== 'string') unsayables.add('a tool has a name.', `${place}.name`);
    else if (name.length > LONGEST_NAME) unsayables.add(`a tool's name has at most ${LONGEST_NAME} characters.`, `${place}.name`);
    else
      said.push({
        type: 'function',
        function: {
          name,
          ...given('description', description),
          parameters: type === 'custom' ? customParameters(tool) : (parameters ?? { type: 'object', properties: {} }),
          ...(strict === true && type === 'function' ? { strict } : {}),
        },
      });
  }
  return said;
};

/** Tools that a choice leaves, and how to choose among them. */
const chosen = (
  choice: ToolChoice | null | undefined,
  tools: readonly Json[],
  unsayables: Unsayables,
): { readonly tools: readonly Json[]; readonly choice: Json } => {
  if (choice === null || choice === undefined) return { tools, choice: {} };
  if (typeof choice === 'string') return { tools, choice: { tool_choice: choice } };
  if (choice.type === 'function' || choice.type === 'custom')
    return { tools, choice: { tool_choice: { type: 'function', function: { name: choice.name ?? '' } } } };
  if (choice.type === 'allowed_tools') {
    const allowed = new Set((choice.tools ?? []).map(({ name }) => name));
    // A tool that may not be called is not described: not every upstream knows such a choice.
    return {
      tools: tools.filter((tool) => allowed.has((tool['function'] as { readonly name: string }).name)),
      choice: { tool_choice: choice.mode ?? 'auto' },
    };
  }
  unsayables.add(`tools of type ${choice.type} run at OpenAI only.`, 'tool_choice');
  return { tools, choice: {} };
};

const formatOf = ({ text }: ResponsesRequest): Json => {
  const format = text?.format;
  const verbosity = given('verbosity', text?.verbosity);
  if (format === null || format === undefined || format.type === 'text') return verbosity;
  if (format.type === 'json_object') return { ...verbosity, response_format: { type: 'json_object' } };
  const { name, description, schema, strict } = format;
  return {
    ...verbosity,
    response_format: {
      type: 'json_schema',
      json_schema: { name: name ?? 'answer', ...given('description', description), ...given('schema', schema), ...given('strict', strict) },
    },
  };
};

const WITH_LOGPROBS = 'message.output_text.logprobs';

const logprobsOf = ({ top_logprobs: top, include }: ResponsesRequest): Json =>
  (typeof top === 'number' && top > 0) || include?.includes(WITH_LOGPROBS) === true ? { logprobs: true, top_logprobs: top ?? 0 } : {};

const messagesOf = (request: ResponsesRequest, earlier: readonly unknown[], unsayables: Unsayables): readonly Json[] | Refusal => {
  const messages = new InputMessages(unsayables);
  const { instructions, input } = request;
  if (typeof instructions === 'string') messages.instruct(instructions);
  else
    for (const [index, item] of (instructions ?? []).entries()) {
      const refusal = messages.add(item, `instructions.${index}`);
      if (refusal !== null) return refusal;
    }
  // They were looked at when they came; what another version took may be refused by this one all the same.
  for (const item of earlier) {
    const refusal = messages.add(item, 'previous_response_id');
    if (refusal !== null) return refusal;
  }
  const items = typeof input === 'string' ? [{ type: 'message', role: 'user', content: input }] : (input ?? []);
  for (const [index, item] of items.entries()) {
    const refusal = messages.add(item, `input.${index}`);
    if (refusal !== null) return refusal;
  }
  const said = messages.end();
  // With nothing to say in this form there may be something to say in the client's own.
  if (said.length === 0 && unsayables.first === null)
    return refuse('invalid_request', 'input: there is nothing in it.', { param: 'input' });
  return said;
};

/**
 * A request of the Responses API as one of chat completions, behind what was said earlier in the same conversation.
 *
 * What has no counterpart there is left out where it only hints or is ours to do (`include`, `truncation`, `metadata`, `store`, a
 * summary of the reasoning, thoughts of earlier turns, what OpenAI's own tools did in them), and told as unsayable where leaving it
 * out would change what was asked (OpenAI's own tools, files by URL, stored prompts, unknown items).
 */
export const chatRequestOf = (request: ResponsesRequest, earlier: readonly unknown[]): SaidInChat | Refusal => {
  const unsayables = new Unsayables();
  const messages = messagesOf(request, earlier, unsayables);
  if (isRefusal(messages)) return messages;
  const described = toolsOf(request.tools ?? [], unsayables);
  const { tools, choice } = chosen(request.tool_choice, described, unsayables);
  for (const name of ['prompt', 'moderation'] as const) {
    if (request[name] !== undefined && request[name] !== null)
      unsayables.add(`only an upstream that speaks the Responses API itself knows "${name}".`, name);
  }
  return {
    unsayable: unsayables.first,
    chat: {
      model: request.model,
      // What is all unsayable is never sent in this form, but it is routed and reckoned by it.
      messages: messages.length === 0 ? [{ role: 'user', content: '' }] : messages,
      ...(tools.length === 0 ? {} : { tools, ...choice, ...given('parallel_tool_calls', request.parallel_tool_calls) }),
      ...formatOf(request),
      ...given('reasoning_effort', request.reasoning?.effort),
      ...given(outputLimitField(request.model), request.max_output_tokens),
      ...given('temperature', request.temperature),
      ...given('top_p', request.top_p),
      ...logprobsOf(request),
      ...given('service_tier', request.service_tier),
      ...given('user', request.user),
      ...given('safety_identifier', request.safety_identifier),
      ...given('prompt_cache_key', request.prompt_cache_key),
      ...given('prompt_cache_retention', request.prompt_cache_retention),
      ...(request.stream === true ? { stream: true, stream_options: { include_usage: true } } : {}),
    },
  };
};
