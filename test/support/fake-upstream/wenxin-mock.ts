import { eventReply, jsonReply, startMockServer, type MockReply, type MockRequest, type MockServer } from './mock-server.ts';

type Json = Readonly<Record<string, unknown>>;

const BASE = '/rpc/2.0/ai_custom/v1/wenxinworkshop';

export const wenxinError = (code: number, message: string): MockReply => jsonReply(200, { error_code: code, error_msg: message });

const KNOWN = new Set(['messages', 'stream', 'system', 'temperature', 'top_p', 'stop', 'max_output_tokens', 'user_id']);

const USAGE = { prompt_tokens: 20, completion_tokens: 7, total_tokens: 27 };

const faultIn = (request: Json): MockReply | null => {
  const stray = Object.keys(request).find((name) => !KNOWN.has(name));
  if (stray !== undefined) return wenxinError(336003, `unknown parameter ${stray}`);
  const messages = request['messages'] as readonly Json[];
  if (messages.length % 2 === 0) return wenxinError(336003, 'the length of messages must be an odd number');
  if (messages.some(({ role }, index) => role !== (index % 2 === 0 ? 'user' : 'assistant')))
    return wenxinError(336003, 'the roles of messages must alternate');
  const temperature = request['temperature'];
  return typeof temperature === 'number' && (temperature <= 0 || temperature > 1) ? wenxinError(336003, 'temperature: (0, 1.0]') : null;
};

/** Baidu’s wenxinworkshop with its token endpoint. Its base URL has `/rpc/2.0/ai_custom/v1/wenxinworkshop` at its end. */
export const startWenxinMock = (): Promise<MockServer & { tokens: number; stale(): void }> => {
  let tokens = 0;
  let good = '';
  const answer = ({ path, body, json }: MockRequest): MockReply => {
    if (path === '/oauth/2.0/token') {
      const form = new URLSearchParams(body.toString('utf8'));
      if (form.get('grant_type') !== 'client_credentials' || form.get('client_id') !== 'ak' || form.get('client_secret') !== 'sk-1')
        return jsonReply(401, { error: 'invalid_client', error_description: 'unknown client id' });
      good = `24.token-${++tokens}`;
      return jsonReply(200, { access_token: good, expires_in: 2_592_000 });
    }
    const { pathname, searchParams } = new URL(path, 'http://mock');
    if (searchParams.get('access_token') !== good || good === '') return wenxinError(110, 'Access token invalid or no longer valid');
    if (pathname === `${BASE}/embeddings/model-of-baidu-wenxin`) {
      const data = (json['input'] as readonly string[]).map((_text, index) => ({
        object: 'embedding',
        embedding: [index, 0.5, -0.25],
        index,
      }));
      return jsonReply(200, { id: 'as-1', object: 'embedding_list', created: 1, data, usage: { prompt_tokens: 20, total_tokens: 20 } });
    }
    if (!/\/chat\/(?:completions_pro|ernie-speed-128k|model-of-baidu-wenxin)$/.test(pathname))
      return wenxinError(3, 'Unsupported openapi method');
    const fault = faultIn(json);
    if (fault !== null) return fault;
    const frame = { id: 'as-1', object: 'chat.completion', created: 1, is_truncated: false, need_clear_history: false };
    if (json['stream'] !== true) return jsonReply(200, { ...frame, result: 'Hello there.', finish_reason: 'normal', usage: USAGE });
    const piece = (place: number, result: string, isEnd: boolean): string =>
      `data: ${JSON.stringify({ ...frame, sentence_id: place, is_end: isEnd, result, usage: USAGE })}\n\n`;
    return eventReply([piece(0, 'Hell', false), piece(1, 'o there.', false), piece(2, '', true)]);
  };
  return startMockServer(answer).then((server) =>
    Object.defineProperties(server, {
      tokens: { get: () => tokens },
      /** Baidu takes the token back before its time. */
      stale: { value: () => (good = 'taken back') },
    }),
  ) as Promise<MockServer & { tokens: number; stale(): void }>;
};
