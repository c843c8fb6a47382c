import { eventReply, jsonReply, startMockServer, type MockReply, type MockRequest, type MockServer } from './mock-server.ts';

type Json = Readonly<Record<string, unknown>>;

const dify = ({ path, headers, json }: MockRequest): MockReply => {
  if (headers.authorization?.startsWith('Bearer ') !== true)
    return jsonReply(401, { code: 'unauthorized', message: 'Access token is invalid', status: 401 });
  if (path !== '/v1/chat-messages') return jsonReply(404, { code: 'not_found', message: 'The requested URL was not found', status: 404 });
  const wrong =
    typeof json['query'] !== 'string' || json['query'] === '' || typeof json['user'] !== 'string' || typeof json['inputs'] !== 'object';
  if (wrong || json['response_mode'] !== 'streaming')
    return jsonReply(400, { code: 'invalid_param', message: 'Agent Chat App does not support blocking mode', status: 400 });
  const event = (name: string, more: Json): string =>
    `data: ${JSON.stringify({ event: name, task_id: 't-1', message_id: 'm-1', conversation_id: 'c-1', created_at: 1, ...more })}\n\n`;
  return eventReply([
    'event: ping\n\n',
    event('agent_thought', { id: 'th-1', position: 1, thought: '', observation: '', tool: '' }),
    event('agent_message', { answer: 'Hell' }),
    event('message', { answer: 'o there.' }),
    event('agent_thought', { id: 'th-1', position: 1, thought: 'Hello there.', observation: '', tool: '' }),
    event('message_end', { metadata: { usage: { prompt_tokens: 20, completion_tokens: 7, total_tokens: 27 } } }),
  ]);
};

/** An app of Dify’s, an agent, which gives nothing but streams. Its base URL has `/v1` at its end. */
export const startDifyMock = (): Promise<MockServer> => startMockServer(dify);

const coze = ({ path, headers, json }: MockRequest): MockReply => {
  const refused = (code: number, msg: string): MockReply => jsonReply(200, { code, msg, detail: { logid: 'l-1' } });
  if (headers.authorization?.startsWith('Bearer ') !== true) return refused(4100, 'authentication is invalid');
  if (path !== '/v3/chat') return jsonReply(404, { code: 4200, msg: 'not found' });
  if (json['bot_id'] === 'nobody') return refused(4200, 'Requested resource bot_id=nobody does not exist');
  const messages = json['additional_messages'] as readonly Json[];
  const wrong = messages.some(
    ({ role, type, content_type: kind, content }) =>
      typeof content !== 'string' ||
      !['text', 'object_string'].includes(String(kind)) ||
      type !== (role === 'user' ? 'question' : role === 'assistant' ? 'answer' : undefined),
  );
  if (wrong || typeof json['user_id'] !== 'string' || json['stream'] !== true) return refused(4000, 'Request parameter error');
  const event = (name: string, data: unknown): string => `event:${name}\ndata:${JSON.stringify(data)}\n\n`;
  const chat = (status: string, usage: unknown): Json => ({ id: 'ch-1', conversation_id: 'c-1', bot_id: json['bot_id'], status, usage });
  const message = (type: string, content: string): Json => ({
    id: 'm-1',
    role: 'assistant',
    type,
    content,
    content_type: 'text',
    chat_id: 'ch-1',
  });
  return eventReply([
    event('conversation.chat.created', chat('created', null)),
    event('conversation.chat.in_progress', chat('in_progress', null)),
    event('conversation.message.completed', message('function_call', '{"name":"search"}')),
    event('conversation.message.delta', message('answer', 'Hell')),
    event('conversation.message.delta', message('answer', 'o there.')),
    event('conversation.message.completed', message('answer', 'Hello there.')),
    event('conversation.message.completed', message('follow_up', 'What else?')),
    event('conversation.chat.completed', chat('completed', { token_count: 27, input_count: 20, output_count: 7 })),
    event('done', '[DONE]'),
  ]);
};

/** A bot of Coze’s. */
export const startCozeMock = (): Promise<MockServer> => startMockServer(coze);
