import { eventReply, jsonReply, startMockServer, type MockReply, type MockRequest, type MockServer } from './mock-server.ts';

type Json = Readonly<Record<string, unknown>>;

export const dashscopeError = (status: number, code: string, message: string): MockReply =>
  jsonReply(status, { code, message, request_id: 'r-1' });

/** What DashScope knows of parameters. */
const KNOWN = new Set([
  'result_format',
  'incremental_output',
  'temperature',
  'top_p',
  'top_k',
  'seed',
  'presence_penalty',
  'repetition_penalty',
  'max_tokens',
  'stop',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'response_format',
  'enable_thinking',
  'thinking_budget',
  'enable_search',
]);

const USAGE = {
  input_tokens: 20,
  output_tokens: 7,
  total_tokens: 27,
  prompt_tokens_details: { cached_tokens: 5 },
  output_tokens_details: { reasoning_tokens: 3 },
};

const call = (index: number, city: string): Json => ({
  id: `call_${index}`,
  type: 'function',
  index,
  function: { name: 'weather', arguments: JSON.stringify({ city }) },
});

const answer = ({ path, headers, json }: MockRequest): MockReply => {
  if (headers.authorization?.startsWith('Bearer sk-') !== true) return dashscopeError(401, 'InvalidApiKey', 'Invalid API-key provided.');
  if (path === '/api/v1/services/embeddings/text-embedding/text-embedding') {
    const { texts } = json['input'] as { readonly texts: readonly string[] };
    const embeddings = texts.map((_text, index) => ({ text_index: index, embedding: [index, 0.5, -0.25] })).reverse();
    return jsonReply(200, { output: { embeddings }, usage: { total_tokens: 20 }, request_id: 'r-1' });
  }
  const kind = /^\/api\/v1\/services\/aigc\/(text|multimodal)-generation\/generation$/.exec(path)?.[1];
  if (kind === undefined) return dashscopeError(404, 'NotFound', 'no such address');
  const parameters = json['parameters'] as Json;
  const stray = [...Object.keys(parameters).filter((name) => !KNOWN.has(name)), ...Object.keys(json)].find(
    (name) => !['model', 'input', 'parameters'].includes(name),
  );
  if (stray !== undefined) return dashscopeError(400, 'InvalidParameter', `Unknown parameter: ${stray}`);
  const { messages } = json['input'] as { readonly messages: readonly Json[] };
  if (messages.some(({ content }) => Array.isArray(content) !== (kind === 'multimodal')))
    return dashscopeError(400, 'InvalidParameter', 'Input should be a valid string or list');
  const streamed = headers['x-dashscope-sse'] === 'enable';
  if (streamed !== (parameters['incremental_output'] === true))
    return dashscopeError(400, 'InvalidParameter', 'incremental_output is for streams');
  const last = messages.at(-1);
  const calls = parameters['tools'] !== undefined && last?.['role'] !== 'tool' ? [call(0, 'Oslo'), call(1, 'Rome')] : [];
  const shown = Array.isArray(last?.['content']) && (last['content'] as readonly Json[]).some(({ image }) => image !== undefined);
  const text = calls.length > 0 ? '' : last?.['role'] === 'tool' ? 'It is sunny in both.' : shown ? 'I see an image.' : 'Hello there.';
  const content = (said: string): unknown => (kind === 'multimodal' ? (said === '' ? [] : [{ text: said }]) : said);
  const thought = parameters['enable_thinking'] === true ? 'Let me think.' : '';
  const finish = calls.length > 0 ? 'tool_calls' : 'stop';
  const told = (message: Json, reason: string): Json => ({
    output: { choices: [{ finish_reason: reason, message: { role: 'assistant', content: content(''), ...message } }] },
    usage: USAGE,
    request_id: 'r-1',
  });
  if (!streamed) {
    const whole = { content: content(text), reasoning_content: thought, ...(calls.length > 0 ? { tool_calls: calls } : {}) };
    return jsonReply(200, told(whole, finish));
  }
  const pieces = [
    ...(thought === '' ? [] : [told({ reasoning_content: thought }, 'null')]),
    ...(text === '' ? [] : [told({ content: content(text.slice(0, 4)) }, 'null'), told({ content: content(text.slice(4)) }, 'null')]),
    ...calls.flatMap((one) => {
      const { name, arguments: given } = one['function'] as { readonly name: string; readonly arguments: string };
      return [
        told({ tool_calls: [{ ...one, function: { name, arguments: given.slice(0, 4) } }] }, 'null'),
        told({ tool_calls: [{ index: one['index'], id: '', type: 'function', function: { arguments: given.slice(4) } }] }, 'null'),
      ];
    }),
    told({}, finish),
  ];
  return eventReply(pieces.map((piece, index) => `id:${index + 1}\nevent:result\n:HTTP_STATUS/200\ndata:${JSON.stringify(piece)}\n\n`));
};

/** DashScope’s own API, as strict as it is. Its base URL has `/api/v1` at its end. */
export const startDashscopeMock = (): Promise<MockServer> => startMockServer(answer);
