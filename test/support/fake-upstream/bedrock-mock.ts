import { createHash, createHmac } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { anthropicEvents, anthropicMessage } from './anthropic-mock.ts';
import { jsonReply, startMockServer, type MockReply, type MockRequest, type MockServer } from './mock-server.ts';

type Json = Readonly<Record<string, unknown>>;

export const ACCESS_KEY = 'AKIDEXAMPLE';
export const SECRET_KEY = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';

export const bedrockError = (status: number, message: string, type = 'ValidationException'): MockReply =>
  jsonReply(status, { message }, { 'x-amzn-errortype': type });

const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex');
const hmac = (key: string | Buffer, data: string): Buffer => createHmac('sha256', key).update(data).digest();

/** What is wrong with a signature by AWS's own description of it; `null` where it holds. */
const signatureFault = ({ method, path, headers, body }: MockRequest): string | null => {
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/bedrock\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(
      headers.authorization ?? '',
    );
  if (match === null) return 'no signature';
  const [, key, day = '', region = '', names = '', signature] = match;
  if (key !== ACCESS_KEY) return 'The security token included in the request is invalid.';
  const time = String(headers['x-amz-date']);
  if (!time.startsWith(day)) return 'the day is not that of the time';
  if (!names.split(';').includes('host') || !names.split(';').includes('x-amz-date')) return 'host and time are not signed';
  const [pathname = '', query = ''] = path.split('?');
  const canonical = [
    method,
    pathname.split('/').map(encodeURIComponent).join('/'),
    query,
    ...names.split(';').map((name) => `${name}:${String(headers[name]).trim()}`),
    '',
    names,
    sha256(body),
  ].join('\n');
  const signing = ['aws4_request'].reduce(hmac, ['bedrock'].reduce(hmac, hmac(hmac(`AWS4${SECRET_KEY}`, day), region)));
  const expected = createHmac('sha256', signing)
    .update(['AWS4-HMAC-SHA256', time, `${day}/${region}/bedrock/aws4_request`, sha256(canonical)].join('\n'))
    .digest('hex');
  return expected === signature ? null : 'The request signature we calculated does not match the signature you provided.';
};

const header = (name: string, value: string): Buffer => {
  const bytes = Buffer.alloc(1 + name.length + 3 + Buffer.byteLength(value));
  let at = bytes.writeUInt8(name.length, 0);
  at += bytes.write(name, at);
  at = bytes.writeUInt8(7, at);
  at = bytes.writeUInt16BE(Buffer.byteLength(value), at);
  bytes.write(value, at);
  return bytes;
};

/** A frame of AWS's event streams. */
export const frame = (headers: Readonly<Record<string, string>>, payload: unknown): Buffer => {
  const heads = Buffer.concat(Object.entries(headers).map(([name, value]) => header(name, value)));
  const body = Buffer.from(JSON.stringify(payload));
  const prelude = Buffer.alloc(12);
  prelude.writeUInt32BE(12 + heads.length + body.length + 4, 0);
  prelude.writeUInt32BE(heads.length, 4);
  prelude.writeUInt32BE(crc32(prelude.subarray(0, 8)), 8);
  const whole = Buffer.concat([prelude, heads, body]);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(whole));
  return Buffer.concat([whole, sum]);
};

export const eventFrame = (type: string, payload: unknown): Buffer =>
  frame({ ':event-type': type, ':content-type': 'application/json', ':message-type': 'event' }, payload);

export const exceptionFrame = (type: string, message: string): Buffer =>
  frame({ ':exception-type': type, ':content-type': 'application/json', ':message-type': 'exception' }, { message });

export const framesReply = (pieces: readonly Buffer[], more: Pick<MockReply, 'cut'> = {}): MockReply => ({
  status: 200,
  headers: { 'content-type': 'application/vnd.amazon.eventstream' },
  pieces,
  ...more,
});

/** What Converse refuses of a request; `null` where nothing is wrong with it. */
const faultIn = (request: Json): string | null => {
  const known = ['messages', 'system', 'inferenceConfig', 'toolConfig'];
  const stray = Object.keys(request).find((name) => !known.includes(name));
  if (stray !== undefined) return `extraneous key [${stray}] is not permitted`;
  let open: unknown[] = [];
  for (const [index, { role, content }] of (request['messages'] as readonly Json[]).entries()) {
    const blocks = content as readonly Json[];
    if (role !== (index % 2 === 0 ? 'user' : 'assistant')) return 'A conversation must alternate between user and assistant roles.';
    if (blocks.length === 0 || blocks.some(({ text }) => text === '')) return 'The text field in the ContentBlock object is blank.';
    const results = blocks.flatMap(({ toolResult }) => (toolResult === undefined ? [] : [(toolResult as Json)['toolUseId']]));
    if (JSON.stringify(results) !== JSON.stringify(open)) return 'toolResult blocks do not match the toolUse blocks of the previous turn.';
    open = blocks.flatMap(({ toolUse }) => (toolUse === undefined ? [] : [(toolUse as Json)['toolUseId']]));
    if (open.length > 0 && request['toolConfig'] === undefined)
      return 'The toolConfig field must be defined when using toolUse and toolResult.';
  }
  return null;
};

/** The answer of Converse that the mock gives to a request. */
export const converseAnswer = (request: Json): Json => {
  const last = (request['messages'] as readonly { readonly content: readonly Json[] }[]).at(-1)?.content ?? [];
  const answered = last.some(({ toolResult }) => toolResult !== undefined);
  const calls = request['toolConfig'] !== undefined && !answered;
  const use = (id: string, city: string): Json => ({ toolUse: { toolUseId: id, name: 'weather', input: { city } } });
  const wantsThoughts = JSON.stringify(last).includes('Think');
  const thought = { reasoningContent: { reasoningText: { text: 'Let me think.', signature: 'c2ln' } } };
  return {
    output: {
      message: {
        role: 'assistant',
        content: calls
          ? [{ text: 'Let me look.' }, use('tooluse_1', 'Oslo'), use('tooluse_2', 'Rome')]
          : [...(wantsThoughts ? [thought] : []), { text: answered ? 'It is sunny in both.' : 'Hello there.' }],
      },
    },
    stopReason: calls ? 'tool_use' : 'end_turn',
    usage: {
      inputTokens: 11,
      outputTokens: 7,
      totalTokens: 27,
      cacheReadInputTokens: 5,
      cacheWriteInputTokens: 4,
      cacheDetails: [{ ttl: '1h', inputTokens: 1 }],
    },
    metrics: { latencyMs: 7 },
  };
};

const pieces = (text: string): readonly string[] => [text.slice(0, 5), text.slice(5)];

/** An answer as the frames that stream it. */
export const converseFrames = ({ output, stopReason, usage, metrics }: Json): readonly Buffer[] => {
  const { message } = output as { readonly message: { readonly content: readonly Json[] } };
  return [
    eventFrame('messageStart', { role: 'assistant', p: 'abc' }),
    ...message.content.flatMap((block, contentBlockIndex): readonly Buffer[] => {
      const delta = (said: Json): Buffer => eventFrame('contentBlockDelta', { contentBlockIndex, delta: said });
      const stop = eventFrame('contentBlockStop', { contentBlockIndex });
      if (block['toolUse'] !== undefined) {
        const { toolUseId, name, input } = block['toolUse'] as Json;
        return [
          eventFrame('contentBlockStart', { contentBlockIndex, start: { toolUse: { toolUseId, name } } }),
          ...pieces(JSON.stringify(input)).map((piece) => delta({ toolUse: { input: piece } })),
          stop,
        ];
      }
      if (block['reasoningContent'] !== undefined) {
        const { text, signature } = (block['reasoningContent'] as { readonly reasoningText: Json }).reasoningText;
        return [
          ...pieces(String(text)).map((piece) => delta({ reasoningContent: { text: piece } })),
          delta({ reasoningContent: { signature } }),
          stop,
        ];
      }
      return [...pieces(String(block['text'])).map((text) => delta({ text })), stop];
    }),
    eventFrame('messageStop', { stopReason }),
    eventFrame('metadata', { usage, metrics }),
  ];
};

/** Anthropic's events as InvokeModel frames them. */
const claudeFrames = (message: Json): readonly Buffer[] =>
  anthropicEvents(message).map((text) =>
    eventFrame('chunk', { bytes: Buffer.from(/^data: (.*)$/m.exec(text)?.[1] ?? '').toString('base64'), p: 'abcdef' }),
  );

const answer = (request: MockRequest): MockReply => {
  const { path, headers, json } = request;
  const fault = headers.authorization === 'Bearer ABSK-bedrock' ? null : signatureFault(request);
  if (fault !== null) return bedrockError(403, fault, 'UnrecognizedClientException');
  const [, model = '', verb] = /^\/model\/([^/]+)\/([a-z-]+)$/.exec(path) ?? [];
  if (verb?.startsWith('invoke') === true) {
    if (json['anthropic_version'] !== 'bedrock-2023-05-31') return bedrockError(400, 'anthropic_version: Field required');
    if ('model' in json || 'stream' in json) return bedrockError(400, 'extraneous key is not permitted');
    const message = anthropicMessage({ ...json, model: decodeURIComponent(model) });
    return verb === 'invoke' ? jsonReply(200, message) : framesReply(claudeFrames(message));
  }
  if (verb?.startsWith('converse') !== true) return bedrockError(404, 'no such operation', 'UnknownOperationException');
  const wrong = faultIn(json);
  if (wrong !== null) return bedrockError(400, wrong);
  const said = converseAnswer(json);
  return verb === 'converse' ? jsonReply(200, said) : framesReply(converseFrames(said));
};

/** Amazon Bedrock, which checks every signature as AWS describes it. */
export const startBedrockMock = (): Promise<MockServer> => startMockServer(answer);
