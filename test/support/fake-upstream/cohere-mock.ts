import { eventReply, jsonReply, startMockServer, type MockReply, type MockRequest, type MockServer } from './mock-server.ts';

type Json = Readonly<Record<string, unknown>>;

/** What is billed, and what the model read and wrote. */
export const COHERE_USAGE = {
  billed_units: { input_tokens: 20, output_tokens: 7 },
  tokens: { input_tokens: 520, output_tokens: 9 },
  cached_tokens: 5,
} as const;

export const cohereError = (status: number, message: string, headers: Readonly<Record<string, string>> = {}): MockReply =>
  jsonReply(status, { id: 'err_mock', message }, headers);

const KNOWN: ReadonlySet<string> = new Set([
  'model',
  'messages',
  'stream',
  'tools',
  'strict_tools',
  'tool_choice',
  'response_format',
  'max_tokens',
  'temperature',
  'p',
  'k',
  'seed',
  'stop_sequences',
  'frequency_penalty',
  'presence_penalty',
  'thinking',
]);

/** What Cohere refuses of a request; `null` where nothing is wrong with it. */
const faultIn = (request: Json): string | null => {
  const stray = Object.keys(request).find((name) => !KNOWN.has(name));
  if (stray !== undefined) return `unknown field: parameter '${stray}' is not a valid field`;
  if (Number(request['temperature'] ?? 0) > 1) return 'temperature must be between 0 and 1.0 inclusive.';
  if (((request['stop_sequences'] as readonly string[] | undefined) ?? []).length > 5) return 'too many stop sequences';
  const messages = request['messages'] as readonly Json[];
  let open: readonly unknown[] = [];
  for (const { role, content, tool_calls: calls, tool_call_id: id } of messages) {
    if (role === 'tool') {
      if (!open.includes(id)) return `no tool call with the id ${String(id)}`;
      open = open.filter((each) => each !== id);
    } else if (open.length > 0) return 'missing tool results';
    if (role === 'user' && (content === undefined || content === '')) return 'all elements in messages must have a content';
    if (Array.isArray(calls)) open = (calls as readonly Json[]).map(({ id: called }) => called);
  }
  return null;
};

/** The answer that the mock gives to a request. */
export const cohereAnswer = (request: Json): Json => {
  const last = (request['messages'] as readonly Json[]).at(-1);
  const calls = Array.isArray(request['tools']) && request['tool_choice'] !== 'NONE' && last?.['role'] !== 'tool';
  const call = (id: string, city: string): Json => ({
    id,
    type: 'function',
    function: { name: 'weather', arguments: `{"city":"${city}"}` },
  });
  const thinking =
    (request['thinking'] as Json | undefined)?.['type'] === 'enabled' ? [{ type: 'thinking', thinking: 'Let me think.' }] : [];
  const text = last?.['role'] === 'tool' ? 'It is sunny in both.' : 'Hello there.';
  return {
    id: 'c14c80c3',
    finish_reason: calls ? 'TOOL_CALL' : 'COMPLETE',
    message: calls
      ? { role: 'assistant', tool_plan: 'I will look at both.', tool_calls: [call('weather_1', 'Oslo'), call('weather_2', 'Rome')] }
      : { role: 'assistant', content: [...thinking, { type: 'text', text }] },
    usage: COHERE_USAGE,
  };
};

const halves = (text: string): readonly string[] => [text.slice(0, 5), text.slice(5)];

/** An answer as the events that stream it, one text each. */
export const cohereEvents = ({ id, finish_reason: reason, message, usage }: Json): readonly string[] => {
  const event = (type: string, data: object = {}): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;
  const said = (inner: object, index = 0): object => ({ index, delta: { message: inner } });
  const {
    content = [],
    tool_plan: plan = '',
    tool_calls: calls = [],
  } = message as {
    readonly content?: readonly { readonly type: 'text' | 'thinking'; readonly text?: string; readonly thinking?: string }[];
    readonly tool_plan?: string;
    readonly tool_calls?: readonly {
      readonly id: string;
      readonly type: string;
      readonly function: { readonly name: string; readonly arguments: string };
    }[];
  };
  return [
    event('message-start', { id, delta: { message: { role: 'assistant', content: [], tool_plan: '', tool_calls: [], citations: [] } } }),
    ...(plan === '' ? [] : halves(plan).map((piece) => event('tool-plan-delta', { delta: { message: { tool_plan: piece } } }))),
    ...calls.flatMap(({ id: callId, type, function: { name, arguments: given } }, index) => [
      event('tool-call-start', said({ tool_calls: { id: callId, type, function: { name, arguments: '' } } }, index)),
      ...halves(given).map((piece) => event('tool-call-delta', said({ tool_calls: { function: { arguments: piece } } }, index))),
      event('tool-call-end', { index }),
    ]),
    ...content.flatMap(({ type, text, thinking }, index) => [
      event('content-start', said({ content: { type, [type]: '' } }, index)),
      ...halves(text ?? thinking ?? '').map((piece) => event('content-delta', said({ content: { [type]: piece } }, index))),
      event('content-end', { index }),
    ]),
    event('citation-start', said({ citations: { start: 0, end: 5, text: 'Hello', sources: [] } })),
    event('citation-end', { index: 0 }),
    event('message-end', { delta: { finish_reason: reason, usage } }),
  ];
};

const embedded = (request: Json): MockReply => {
  const known = ['model', 'texts', 'input_type', 'embedding_types', 'output_dimension'];
  if (Object.keys(request).some((name) => !known.includes(name)) || typeof request['input_type'] !== 'string')
    return cohereError(400, 'invalid request');
  const texts = request['texts'] as readonly string[];
  return jsonReply(200, {
    id: 'emb_1',
    embeddings: { float: texts.map(() => [0.5, -0.25, 1]) },
    texts,
    meta: { api_version: { version: '2' }, billed_units: { input_tokens: 20 } },
  });
};

const ranked = (request: Json): MockReply => {
  const { documents, top_n: most = Infinity } = request as { readonly documents: readonly unknown[]; readonly top_n?: number };
  if (documents.some((document) => typeof document !== 'string') || 'return_documents' in request)
    return cohereError(400, 'invalid request: documents are texts');
  const results = documents.map((_document, index) => ({ index, relevance_score: (index + 1) / 10 })).reverse();
  return jsonReply(200, {
    id: 'rnk_1',
    results: results.slice(0, most),
    meta: { api_version: { version: '2' }, billed_units: { search_units: 1 } },
  });
};

const answer = ({ path, headers, json }: MockRequest): MockReply => {
  if (headers.authorization?.startsWith('Bearer ') !== true) return cohereError(401, 'no api key supplied');
  if (path === '/v2/embed') return embedded(json);
  if (path === '/v2/rerank') return ranked(json);
  if (path !== '/v2/chat') return cohereError(404, 'not found');
  const fault = faultIn(json);
  if (fault !== null) return cohereError(400, fault);
  const said = cohereAnswer(json);
  return json['stream'] === true ? eventReply(cohereEvents(said)) : jsonReply(200, said);
};

/** A provider that speaks version 2 of Cohere's API, as strictly as Cohere does. Its base URL has `/v2` at its end. */
export const startCohereMock = (): Promise<MockServer> => startMockServer(answer);
