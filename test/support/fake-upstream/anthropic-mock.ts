import { eventReply, jsonReply, startMockServer, type MockReply, type MockRequest, type MockServer } from './mock-server.ts';

type Json = Readonly<Record<string, unknown>>;

/** Input that was not cached, read from a cache, written for 5 minutes and for an hour; output, of which thoughts. */
export const ANTHROPIC_USAGE = {
  input_tokens: 20,
  cache_creation_input_tokens: 9,
  cache_read_input_tokens: 5,
  cache_creation: { ephemeral_5m_input_tokens: 6, ephemeral_1h_input_tokens: 3 },
  output_tokens: 16,
  output_tokens_details: { thinking_tokens: 4 },
} as const;

export const SIGNATURE = 'c2lnbmF0dXJlLW9mLWNsYXVkZQ==';

export const anthropicError = (status: number, type: string, message: string, headers: Readonly<Record<string, string>> = {}): MockReply =>
  jsonReply(status, { type: 'error', error: { type, message }, request_id: 'req_mock' }, headers);

const blocks = (content: unknown): readonly Json[] =>
  typeof content === 'string' ? [{ type: 'text', text: content }] : ((content ?? []) as readonly Json[]);

/** What Anthropic's servers refuse of a conversation; `null` where nothing is wrong with it. */
const faultIn = ({ messages = [], max_tokens: limit, thinking }: Json & { readonly messages?: readonly Json[] }): string | null => {
  if (typeof limit !== 'number') return 'max_tokens: Field required';
  const budget = (thinking as { budget_tokens?: number } | undefined)?.budget_tokens;
  if (budget !== undefined && limit <= budget) return '`max_tokens` must be greater than `thinking.budget_tokens`';
  let open: readonly unknown[] = [];
  for (const [index, { role, content }] of messages.entries()) {
    if (role !== (index % 2 === 0 ? 'user' : 'assistant')) return 'messages: roles must alternate';
    const said = blocks(content);
    if (said.length === 0) return 'all messages must have non-empty content';
    if (said.some(({ type, text }) => type === 'text' && text === '')) return 'text content blocks must be non-empty';
    const results = said.filter(({ type }) => type === 'tool_result').map(({ tool_use_id: id }) => id);
    if (JSON.stringify(results) !== JSON.stringify(open)) return '`tool_use` ids were found without `tool_result` blocks immediately after';
    if (said.slice(0, results.length).some(({ type }) => type !== 'tool_result')) return 'results of tools come first';
    open = said.filter(({ type }) => type === 'tool_use').map(({ id }) => id);
    if (
      open.length > 0 &&
      thinking !== undefined &&
      (thinking as Json)['type'] !== 'disabled' &&
      !`${String(said[0]?.['type'])}`.endsWith('thinking')
    )
      return 'Expected `thinking` or `redacted_thinking`, but found `tool_use`';
  }
  return null;
};

const answerTo = (request: Json): readonly Json[] => {
  const messages = request['messages'] as readonly Json[];
  const last = blocks(messages.at(-1)?.['content']);
  const format = (request['output_config'] as { format?: unknown } | undefined)?.format;
  // Models do what they are told in words, too.
  const wantsJson = format !== undefined || JSON.stringify(request['system'] ?? '').includes('Answer with one JSON');
  const thinking =
    request['thinking'] === undefined || (request['thinking'] as Json)['type'] === 'disabled'
      ? []
      : [{ type: 'thinking', thinking: 'Let me think.', signature: SIGNATURE }];
  if (last.some(({ type }) => type === 'tool_result')) return [...thinking, { type: 'text', text: 'It is sunny in both.' }];
  if (Array.isArray(request['tools']) && (request['tool_choice'] as Json | undefined)?.['type'] !== 'none') {
    const { name } = request['tools'][0] as { name: string };
    const choice = request['tool_choice'] as { type: string; name?: string; disable_parallel_tool_use?: boolean } | undefined;
    // A tool by which the answer itself is to be given is called once.
    if (choice?.type === 'tool' || choice?.disable_parallel_tool_use === true || name === 'json')
      return [...thinking, { type: 'tool_use', id: 'toolu_1', name: choice?.name ?? name, input: { city: 'Oslo' } }];
    return [
      ...thinking,
      { type: 'text', text: 'Let me look.' },
      { type: 'tool_use', id: 'toolu_1', name, input: { city: 'Oslo' } },
      { type: 'tool_use', id: 'toolu_2', name, input: { city: 'Rome' } },
    ];
  }
  if (wantsJson) return [{ type: 'text', text: '{"city":"Oslo"}' }];
  const image = last.find(({ type }) => type === 'image')?.['source'] as { media_type?: string } | undefined;
  return [...thinking, { type: 'text', text: image === undefined ? 'Hello there.' : `I see an ${String(image.media_type)}.` }];
};

const event = (type: string, data: object): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;

const deltasOf = (block: Json): readonly Json[] => {
  switch (block['type']) {
    case 'thinking':
      return [
        { type: 'thinking_delta', thinking: String(block['thinking']).slice(0, 4) },
        { type: 'thinking_delta', thinking: String(block['thinking']).slice(4) },
        { type: 'signature_delta', signature: block['signature'] },
      ];
    case 'tool_use': {
      const text = JSON.stringify(block['input']);
      return ['', text.slice(0, 5), text.slice(5)].map((partial) => ({ type: 'input_json_delta', partial_json: partial }));
    }
    default:
      return [String(block['text']).slice(0, 3), String(block['text']).slice(3)].map((text) => ({ type: 'text_delta', text }));
  }
};

const EMPTY: Readonly<Record<string, Json>> = { thinking: { thinking: '', signature: '' }, tool_use: { input: {} }, text: { text: '' } };

/** A message as the events that stream it, one text each. */
export const anthropicEvents = (message: Json): readonly string[] => {
  const { content, stop_reason: reason, usage, ...head } = message as Json & { readonly content: readonly Json[]; readonly usage: Json };
  const { output_tokens: _output, output_tokens_details: _details, ...input } = usage;
  return [
    event('message_start', { message: { ...head, content: [], stop_reason: null, usage: { ...input, output_tokens: 1 } } }),
    event('ping', {}),
    ...content.flatMap((block, index) => [
      event('content_block_start', { index, content_block: { ...block, ...EMPTY[String(block['type'])] } }),
      ...deltasOf(block).map((delta) => event('content_block_delta', { index, delta })),
      event('content_block_stop', { index }),
    ]),
    event('message_delta', {
      delta: { stop_reason: reason, stop_sequence: null },
      usage: { output_tokens: usage['output_tokens'], output_tokens_details: usage['output_tokens_details'] },
    }),
    event('message_stop', {}),
  ];
};

/** The message that the mock answers a request with. */
export const anthropicMessage = (request: Json): Json => {
  const content = answerTo(request);
  return {
    id: 'msg_mock',
    type: 'message',
    role: 'assistant',
    model: request['model'],
    content,
    stop_reason: content.some(({ type }) => type === 'tool_use') ? 'tool_use' : 'end_turn',
    stop_sequence: null,
    usage: ANTHROPIC_USAGE,
  };
};

const answer = ({ path, headers, json }: MockRequest): MockReply => {
  if (path.split('?')[0] !== '/v1/messages') return anthropicError(404, 'not_found_error', 'Not found');
  if (headers['x-api-key'] === undefined) return anthropicError(401, 'authentication_error', 'x-api-key header is required');
  if (headers['anthropic-version'] === undefined)
    return anthropicError(400, 'invalid_request_error', 'anthropic-version: header is required');
  const fault = faultIn(json);
  if (fault !== null) return anthropicError(400, 'invalid_request_error', fault);
  const message = anthropicMessage(json);
  return json['stream'] === true ? eventReply(anthropicEvents(message)) : jsonReply(200, message);
};

/** A provider that speaks Anthropic's Messages, as strictly as Anthropic does. Its base URL has `/v1` at its end. */
export const startAnthropicMock = (): Promise<MockServer> => startMockServer(answer);
