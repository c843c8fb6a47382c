import { jsonReply, startMockServer, type MockReply, type MockRequest, type MockServer } from './mock-server.ts';

type Json = Readonly<Record<string, unknown>>;

export const ollamaError = (status: number, error: string): MockReply => jsonReply(status, { error });

/** Lines, as Ollama streams them. */
export const linesReply = (pieces: readonly (string | Buffer)[], more: Pick<MockReply, 'cut'> = {}): MockReply => ({
  status: 200,
  headers: { 'content-type': 'application/x-ndjson' },
  pieces,
  ...more,
});

/** What Ollama refuses of a request; `null` where nothing is wrong with it. */
const faultIn = (request: Json): string | null => {
  for (const { role, content, tool_calls: calls, images } of request['messages'] as readonly Json[]) {
    if (!['system', 'user', 'assistant', 'tool'].includes(String(role))) return `invalid role: ${String(role)}`;
    if (typeof content !== 'string') return 'json: cannot unmarshal array into Go struct field ChatRequest.messages.content of type string';
    for (const image of (images as readonly string[] | undefined) ?? [])
      if (!/^[A-Za-z0-9+/]+=*$/.test(image)) return 'illegal base64 data at input byte 4';
    for (const call of (calls as readonly { readonly function: Json }[] | undefined) ?? [])
      if (typeof call.function['arguments'] !== 'object') return 'json: cannot unmarshal string into Go struct field of type map';
  }
  return null;
};

/** The answer that the mock gives to a request. */
export const ollamaAnswer = (request: Json): Json => {
  const last = (request['messages'] as readonly Json[]).at(-1);
  const calls = Array.isArray(request['tools']) && last?.['role'] !== 'tool';
  const call = (city: string): Json => ({ function: { index: 0, name: 'weather', arguments: { city } } });
  const thought = request['think'] === undefined || request['think'] === false ? {} : { thinking: 'Let me think.' };
  const text = last?.['role'] === 'tool' ? 'It is sunny in both.' : last?.['images'] === undefined ? 'Hello there.' : 'I see an image.';
  return {
    model: request['model'],
    created_at: '2026-01-02T03:04:05.678901234Z',
    message: { role: 'assistant', content: calls ? '' : text, ...thought, ...(calls ? { tool_calls: [call('Oslo'), call('Rome')] } : {}) },
    done: true,
    done_reason: 'stop',
    total_duration: 5_191_566_416,
    prompt_eval_count: 20,
    eval_count: 7,
  };
};

/** An answer as the lines that stream it. */
export const ollamaLines = (answer: Json): readonly string[] => {
  const { model, created_at: at, message, ...rest } = answer;
  const {
    content,
    thinking = '',
    tool_calls: calls = [],
  } = message as {
    readonly content: string;
    readonly thinking?: string;
    readonly tool_calls?: readonly Json[];
  };
  const line = (said: Json, more: object = { done: false }): string =>
    `${JSON.stringify({ model, created_at: at, message: { role: 'assistant', content: '', ...said }, ...more })}\n`;
  return [
    ...(thinking === '' ? [] : [line({ thinking: thinking.slice(0, 4) }), line({ thinking: thinking.slice(4) })]),
    ...calls.map((call) => line({ tool_calls: [call] })),
    ...(content === '' ? [] : [line({ content: content.slice(0, 4) }), line({ content: content.slice(4) })]),
    line({}, rest),
  ];
};

const answer = ({ path, json }: MockRequest): MockReply => {
  if (path === '/api/embed')
    return jsonReply(200, {
      model: json['model'],
      embeddings: (json['input'] as readonly string[]).map(() => [0.5, -0.25, 1]),
      prompt_eval_count: 20,
    });
  if (path !== '/api/chat') return { status: 404, headers: { 'content-type': 'text/plain' }, pieces: ['404 page not found'] };
  const fault = faultIn(json);
  if (fault !== null) return ollamaError(400, fault);
  const said = ollamaAnswer(json);
  return json['stream'] === false ? jsonReply(200, said) : linesReply(ollamaLines(said));
};

/** Ollama with its own API, as strict as it is. Its base URL has `/api` at its end. */
export const startOllamaMock = (): Promise<MockServer> => startMockServer(answer);
