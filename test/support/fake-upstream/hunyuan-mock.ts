import { createHash, createHmac } from 'node:crypto';
import { eventReply, jsonReply, startMockServer, type MockReply, type MockRequest, type MockServer } from './mock-server.ts';

type Json = Readonly<Record<string, unknown>>;

export const SECRET_ID = 'AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE';
export const SECRET_KEY = 'Gu5t9xGARNpq86cd98joQYCN3EXAMPLE';

export const hunyuanError = (code: string, message: string): MockReply =>
  jsonReply(200, { Response: { Error: { Code: code, Message: message }, RequestId: 'r-1' } });

const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex');
const hmac = (key: string | Buffer, data: string): Buffer => createHmac('sha256', key).update(data).digest();

/** Whether a signature holds, by Tencent’s own description of it. */
const isSigned = ({ headers, body }: MockRequest): boolean => {
  const match =
    /^TC3-HMAC-SHA256 Credential=([^/]+)\/(\d{4}-\d\d-\d\d)\/hunyuan\/tc3_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$/.exec(
      headers.authorization ?? '',
    );
  const [, id, day = '', names = '', signature] = match ?? [];
  const time = String(headers['x-tc-timestamp']);
  if (id !== SECRET_ID || new Date(Number(time) * 1_000).toISOString().slice(0, 10) !== day) return false;
  if (!names.includes('content-type') || !names.includes('host')) return false;
  const lines = names.split(';').map((name) => `${name}:${String(headers[name]).toLowerCase()}\n`);
  const canonical = `POST\n/\n\n${lines.join('')}\n${names}\n${sha256(body)}`;
  const key = hmac(hmac(hmac(`TC3${SECRET_KEY}`, day), 'hunyuan'), 'tc3_request');
  const scope = `${day}/hunyuan/tc3_request`;
  const expected = createHmac('sha256', key)
    .update(`TC3-HMAC-SHA256\n${time}\n${scope}\n${sha256(canonical)}`)
    .digest('hex');
  return expected === signature;
};

const KNOWN = new Set([
  'Model',
  'Messages',
  'Stream',
  'TopP',
  'Temperature',
  'Tools',
  'ToolChoice',
  'CustomTool',
  'Seed',
  'Stop',
  'EnableThinking',
]);

const answer = (request: MockRequest): MockReply => {
  const { path, headers, json } = request;
  if (!isSigned(request)) return hunyuanError('AuthFailure.SignatureFailure', 'The provided credentials could not be validated.');
  if (path !== '/' || headers['x-tc-action'] !== 'ChatCompletions' || headers['x-tc-version'] !== '2023-09-01')
    return hunyuanError('InvalidAction', 'The action is none.');
  const stray = Object.keys(json).find((name) => !KNOWN.has(name));
  if (stray !== undefined) return hunyuanError('UnknownParameter', `The parameter ${stray} is not recognized.`);
  const messages = json['Messages'] as readonly Json[];
  const last = messages.at(-1);
  if (last?.['Role'] !== 'user' && last?.['Role'] !== 'tool')
    return hunyuanError('InvalidParameterValue', 'The last role of Messages must be user or tool.');
  const tool = (index: number, city: string): Json => ({
    Id: `call_${index}`,
    Type: 'function',
    Index: index,
    Function: { Name: 'weather', Arguments: JSON.stringify({ city }) },
  });
  const calls = json['Tools'] !== undefined && last['Role'] !== 'tool' ? [tool(0, 'Oslo'), tool(1, 'Rome')] : [];
  const text =
    calls.length > 0 ? '' : last['Role'] === 'tool' ? 'It is sunny in both.' : last['Contents'] ? 'I see an image.' : 'Hello there.';
  const frame = { Note: 'made by AI', Created: 1, Id: 'h-1', Usage: { PromptTokens: 20, CompletionTokens: 7, TotalTokens: 27 } };
  const finish = calls.length > 0 ? 'tool_calls' : 'stop';
  if (json['Stream'] !== true) {
    const message = { Role: 'assistant', Content: text, ...(calls.length > 0 ? { ToolCalls: calls } : {}) };
    return jsonReply(200, { Response: { RequestId: 'r-1', ...frame, Choices: [{ Index: 0, Message: message, FinishReason: finish }] } });
  }
  const piece = (delta: Json, reason = ''): string =>
    `data: ${JSON.stringify({ ...frame, Choices: [{ Index: 0, Delta: { Role: 'assistant', Content: '', ...delta }, FinishReason: reason }] })}\n\n`;
  return eventReply([
    ...(text === '' ? [] : [piece({ Content: text.slice(0, 4) }), piece({ Content: text.slice(4) })]),
    ...calls.map((one) => piece({ ToolCalls: [one] })),
    piece({}, finish),
    'data: [DONE]\n\n',
  ]);
};

/** Tencent Cloud’s API of Hunyuan, which checks every signature as Tencent describes it. */
export const startHunyuanMock = (): Promise<MockServer> => startMockServer(answer);
