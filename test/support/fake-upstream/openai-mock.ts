import { eventReply, jsonReply, startMockServer, type MockReply, type MockRequest, type MockServer } from './mock-server.ts';

type Json = Readonly<Record<string, unknown>>;

export const openaiError = (status: number, type: string, message: string, headers: Readonly<Record<string, string>> = {}): MockReply =>
  jsonReply(status, { error: { message, type, param: null, code: null } }, headers);

const USAGE = {
  prompt_tokens: 25,
  completion_tokens: 16,
  total_tokens: 41,
  prompt_tokens_details: { cached_tokens: 5 },
  completion_tokens_details: { reasoning_tokens: 4 },
} as const;

/** What OpenAI's servers refuse of a conversation; `null` where nothing is wrong with it. */
const faultIn = (messages: readonly Json[]): string | null => {
  let open: unknown[] = [];
  for (const message of messages) {
    if (message['role'] === 'tool') {
      if (!open.includes(message['tool_call_id'])) return 'a message with role tool must follow one with tool_calls';
      open = open.filter((id) => id !== message['tool_call_id']);
      continue;
    }
    if (open.length > 0) return 'An assistant message with tool_calls must be followed by tool messages';
    open = ((message['tool_calls'] ?? []) as readonly Json[]).map(({ id }) => id);
  }
  return null;
};

const call = (index: number, name: unknown, city: string): Json => ({
  id: `call_${index}`,
  type: 'function',
  function: { name, arguments: JSON.stringify({ city }) },
});

const messageTo = (request: Json): Json => {
  const messages = request['messages'] as readonly Json[];
  const said = (content: string): Json => ({ role: 'assistant', content, refusal: null });
  if (messages.at(-1)?.['role'] === 'tool') return said('It is sunny in both.');
  if (Array.isArray(request['tools']) && request['tool_choice'] !== 'none') {
    const [tool] = request['tools'] as readonly { function: { name: string } }[];
    const choice = request['tool_choice'] as { function?: { name: string } } | string | undefined;
    const named = typeof choice === 'object' ? choice.function?.name : undefined;
    // A tool by which the answer itself is to be given is called once.
    if (tool?.function.name === 'json') return { ...said(''), tool_calls: [call(0, 'json', 'Oslo')] };
    const calls =
      named !== undefined || request['parallel_tool_calls'] === false
        ? [call(0, named ?? tool?.function.name, 'Oslo')]
        : [call(0, tool?.function.name, 'Oslo'), call(1, tool?.function.name, 'Rome')];
    return { ...said('Let me look.'), tool_calls: calls };
  }
  const format = request['response_format'] as { type?: string } | undefined;
  if (format?.type === 'json_schema' || format?.type === 'json_object') return said('{"city":"Oslo"}');
  const content = messages.at(-1)?.['content'];
  const image = Array.isArray(content)
    ? (content as readonly { image_url?: { url: string } }[]).find((part) => part.image_url !== undefined)
    : undefined;
  return said(image === undefined ? 'Hello there.' : `I see an ${/^data:([^;]+)/.exec(image.image_url?.url ?? '')?.[1] ?? 'address'}.`);
};

/** An answer as the events that stream it, one text each. */
const eventsOf = (model: unknown, message: Json, hasUsage: boolean): readonly string[] => {
  const chunk = (delta: Json, more: Json = {}): string =>
    `data: ${JSON.stringify({ id: 'chatcmpl-mock', object: 'chat.completion.chunk', created: 1, model, choices: [{ index: 0, delta, finish_reason: null }], ...more })}\n\n`;
  const text = String(message['content']);
  const calls = (message['tool_calls'] ?? []) as readonly { id: string; type: string; function: { name: string; arguments: string } }[];
  const finish = calls.length > 0 ? 'tool_calls' : 'stop';
  return [
    chunk({ role: 'assistant', content: '' }),
    chunk({ content: text.slice(0, 3) }),
    chunk({ content: text.slice(3) }),
    ...calls.flatMap(({ id, type, function: { name, arguments: text } }, index) => [
      chunk({ tool_calls: [{ index, id, type, function: { name, arguments: '' } }] }),
      chunk({ tool_calls: [{ index, function: { arguments: text.slice(0, 5) } }] }),
      chunk({ tool_calls: [{ index, function: { arguments: text.slice(5) } }] }),
    ]),
    chunk({}, { choices: [{ index: 0, delta: {}, finish_reason: finish }] }),
    ...(hasUsage ? [chunk({}, { choices: [], usage: USAGE })] : []),
    'data: [DONE]\n\n',
  ];
};

/** The events that the mock streams to a request. */
export const openaiEvents = (request: Json): readonly string[] =>
  eventsOf(
    request['model'],
    messageTo(request),
    (request['stream_options'] as { include_usage?: boolean } | undefined)?.include_usage === true,
  );

const embed = ({ model, input, encoding_format: format }: Json): MockReply => {
  const vectors = (Array.isArray(input) ? input : [input]).map((_text, index) => [index, 0.5, -0.25]);
  const data = vectors.map((vector, index) => ({
    object: 'embedding',
    index,
    embedding: format === 'base64' ? Buffer.from(Float32Array.from(vector).buffer).toString('base64') : vector,
  }));
  return jsonReply(200, { object: 'list', data, model, usage: { prompt_tokens: 4, total_tokens: 4 } });
};

const answer = ({ path, headers, json }: MockRequest): MockReply => {
  if (headers.authorization?.startsWith('Bearer ') !== true)
    return openaiError(401, 'invalid_request_error', 'You did not provide an API key.');
  if (path === '/v1/embeddings') return embed(json);
  if (path !== '/v1/chat/completions') return openaiError(404, 'invalid_request_error', 'Unknown request URL');
  const fault = faultIn(json['messages'] as readonly Json[]);
  if (fault !== null) return openaiError(400, 'invalid_request_error', fault);
  if (json['stream'] === true) return eventReply(openaiEvents(json));
  const message = messageTo(json);
  const choices = [{ index: 0, message, logprobs: null, finish_reason: message['tool_calls'] === undefined ? 'stop' : 'tool_calls' }];
  return jsonReply(200, { id: 'chatcmpl-mock', object: 'chat.completion', created: 1, model: json['model'], choices, usage: USAGE });
};

/** A provider that speaks OpenAI's chat completions, as strictly as OpenAI does. Its base URL has `/v1` at its end. */
export const startOpenaiMock = (): Promise<MockServer> => startMockServer(answer);
