import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mannersOf, TOKENS, usageOf, type Manners } from './manners.ts';

/** A call as it arrived. */
export interface ProviderCall {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

export interface ProviderUpstream {
  readonly origin: string;
  /** Since the last look. */
  take(): readonly ProviderCall[];
  close(): Promise<void>;
}

export const SAID = 'Good day to you.';
export const THOUGHT = 'They want to be greeted.';
export const VECTOR = [0.5, -0.25, 1] as const;

/** Models are named after the provider that has them. */
export const modelOf = (id: string): string => `model-of-${id}`;

type Body = Readonly<Record<string, unknown>> & { readonly model: string };

const send = (res: ServerResponse, status: number, body: string): void => {
  res.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  res.end(body);
};

const refusedMember = ({ refuses = [], most = {} }: Manners, body: Body): string | null =>
  refuses.find((name) => name in body) ?? Object.entries(most).find(([name, bound]) => Number(body[name] ?? 0) > bound)?.[0] ?? null;

const reasonOf = ({ finish }: Manners): string => finish?.[0] ?? 'stop';

const plain = (manners: Manners, model: string): string => {
  const answer = {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1_700_000_000,
    model,
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: SAID, [manners.reasoningIn ?? 'reasoning_content']: THOUGHT },
        finish_reason: reasonOf(manners),
      },
    ],
    usage: usageOf(manners).told,
    ...manners.inEveryAnswer,
  };
  return `${manners.blankLines === true ? '\n\n\n' : ''}${JSON.stringify(answer)}`;
};

const streamed = (manners: Manners, model: string, usageAsked: boolean): string => {
  const chunk = (choices: readonly object[], more: object = {}): string =>
    `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1_700_000_000, model, choices, ...more })}\n\n`;
  const delta = (said: object): string => chunk([{ index: 0, delta: said, finish_reason: null }]);
  const { told } = usageOf(manners);
  const usage = usageAsked || manners.usageUnasked === true || manners.streamUsage !== undefined ? told : null;
  const inside = manners.streamUsage;
  const last = { index: 0, delta: {}, finish_reason: reasonOf(manners), ...(inside === 'in_choice' ? { usage } : {}) };
  return [
    manners.comments ?? '',
    manners.firstChunk === undefined ? '' : chunk([], manners.firstChunk),
    delta({ role: 'assistant', content: '' }),
    delta({ [manners.reasoningIn ?? 'reasoning_content']: THOUGHT }),
    ...SAID.split(/(?<= )/).map((content) => delta({ content })),
    chunk([last], {
      ...(inside === 'last_chunk' ? { usage } : inside === 'x_groq' ? { x_groq: { id: 'req_1', usage } } : {}),
      ...manners.inEveryAnswer,
    }),
    inside === undefined && usage !== null ? chunk([], { usage }) : '',
    'data: [DONE]\n\n',
  ].join('');
};

/** Cut at odd places: nothing may depend on where the network cuts. */
const pieces = (text: string): readonly Buffer[] => {
  const bytes = Buffer.from(text);
  const cut: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += 97) cut.push(bytes.subarray(at, at + 97));
  return cut;
};

const embeddings = (manners: Manners, body: Body): string =>
  JSON.stringify({
    object: 'list',
    data: [
      {
        object: 'embedding',
        index: 0,
        embedding: body['encoding_format'] === 'base64' ? Buffer.from(new Float32Array(VECTOR).buffer).toString('base64') : VECTOR,
      },
    ],
    model: body.model,
    usage: manners.embeddingUsage ?? { prompt_tokens: TOKENS.prompt, total_tokens: TOKENS.prompt },
  });

const answer = (path: string, body: Body, res: ServerResponse): void => {
  const manners = mannersOf(body.model.replace(/^model-of-/, ''));
  const isEmbeddings = path.split('?')[0]?.endsWith('/embeddings') === true;
  const refused = isEmbeddings ? (manners.embeddingRefuses?.find((name) => name in body) ?? null) : refusedMember(manners, body);
  if (refused !== null) {
    const error = { message: `${refused}: extra inputs are not permitted`, type: 'invalid_request_error', param: refused, code: null };
    return send(res, 422, JSON.stringify({ error }));
  }
  if (isEmbeddings) return send(res, 200, embeddings(manners, body));
  if (body['stream'] !== true) return send(res, 200, plain(manners, body.model));
  const options = body['stream_options'] as { readonly include_usage?: boolean } | undefined;
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const piece of pieces(streamed(manners, body.model, options?.include_usage === true))) res.write(piece);
  res.end();
};

/** One server for all providers that speak OpenAI's format, each with its manners: who is asked is told by the model. */
export const startProviderUpstream = async (): Promise<ProviderUpstream> => {
  let calls: ProviderCall[] = [];
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      const text = Buffer.concat(chunks).toString('utf8');
      const path = req.url ?? '';
      calls.push({ path, headers: req.headers, text });
      answer(path, JSON.parse(text) as Body, res);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    take: () => {
      const taken = calls;
      calls = [];
      return taken;
    },
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
};
