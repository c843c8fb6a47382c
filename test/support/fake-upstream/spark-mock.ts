import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import type { MockReply, MockRequest, MockServer } from './mock-server.ts';

type Json = Readonly<Record<string, unknown>>;

export const APP_ID = '4cc5779a';
const SECRET = 'NTBkM2NmODljNDhhYzI4NjU2';
const API_KEY = 'b26f9450cf90f1a76c24a8f1';
export const APP_KEY = `${APP_ID}|${SECRET}|${API_KEY}`;

const MOST_SKEW_MS = 300_000;

const message = (header: Json, payload?: Json): string =>
  JSON.stringify({
    header: { code: 0, message: 'Success', sid: 'cht1', status: 1, ...header },
    ...(payload === undefined ? {} : { payload }),
  });

/** An error as Spark tells it: in a message of an open socket. */
export const sparkError = (code: number, said: string): MockReply => ({
  status: 101,
  headers: {},
  pieces: [message({ code, message: said, status: 2 })],
});

/** A piece of an answer, for replies of a test's own. */
export const sparkPiece = (content: string, status = 1): string =>
  message({ status }, { choices: { status, seq: 0, text: [{ content, role: 'assistant', index: 0 }] } });

/** Whether the address is signed, by iFlytek's own description of it. */
const isSigned = ({ url = '', headers }: IncomingMessage): boolean => {
  const { pathname, searchParams } = new URL(url, 'ws://any');
  const date = searchParams.get('date') ?? '';
  const said = Buffer.from(searchParams.get('authorization') ?? '', 'base64').toString('utf8');
  const match = /^api_key="([^"]+)", algorithm="hmac-sha256", headers="host date request-line", signature="([^"]+)"$/.exec(said);
  if (match?.[1] !== API_KEY || searchParams.get('host') !== headers.host) return false;
  if (Math.abs(Date.parse(date) - Date.now()) > MOST_SKEW_MS || !date.endsWith(' GMT')) return false;
  const origin = `host: ${headers.host ?? ''}\ndate: ${date}\nGET ${pathname} HTTP/1.1`;
  return createHmac('sha256', SECRET).update(origin).digest('base64') === match[2];
};

const DOMAINS: Readonly<Record<string, string>> = { '/v3.5/chat': 'generalv3.5', '/v1.1/chat': 'lite', '/v1/x1': 'x1' };

const at = (value: unknown, name: string): unknown => (value as Json | undefined)?.[name];

const answer = (path: string, asked: Json): readonly string[] => {
  const header = at(asked, 'header') as Json;
  const chat = at(at(asked, 'parameter'), 'chat') as Json;
  const text = at(at(at(asked, 'payload'), 'message'), 'text') as readonly Json[];
  const functions = at(at(at(asked, 'payload'), 'functions'), 'text') as readonly Json[] | undefined;
  const fail = (code: number, said: string): readonly string[] => sparkError(code, said).pieces as readonly string[];
  if (header['app_id'] !== APP_ID) return fail(10015, 'the app is on the blacklist');
  if (chat['domain'] !== DOMAINS[path]) return fail(10404, 'the domain does not belong to the address');
  const stray = Object.keys(chat).find((name) => !['domain', 'temperature', 'max_tokens', 'top_k'].includes(name));
  if (stray !== undefined) return fail(10004, `$.parameter.chat: ${stray} is not taken`);
  const temperature = Number(chat['temperature'] ?? 0.5);
  if (temperature <= 0 || temperature > (path === '/v1/x1' ? 2 : 1)) return fail(10005, '$.parameter.chat.temperature is out of range');
  if (text.at(-1)?.['role'] !== 'user' || text.some(({ role }, index) => role === text[index - 1]?.['role']))
    return fail(10005, '$.payload.message.text: roles have to alternate');
  const usage = { text: { question_tokens: 4, prompt_tokens: 20, completion_tokens: 7, total_tokens: 27 } };
  const end = (choice: Json): string =>
    message({ status: 2 }, { choices: { status: 2, seq: 2, text: [{ content: '', role: 'assistant', index: 0, ...choice }] }, usage });
  const last = String(text.at(-1)?.['content']);
  if (functions !== undefined && !last.includes('returned:'))
    return [end({ content_type: 'text', function_call: { name: functions[0]?.['name'], arguments: '{"city":"Oslo"}' } })];
  const said = last.includes('returned:') ? 'It is sunny.' : 'Hello there.';
  return [
    sparkPiece(said.slice(0, 4)).replace('{', '{\n'),
    ...(chat['domain'] === 'x1'
      ? [message({}, { choices: { status: 1, text: [{ content: '', reasoning_content: 'Hm.', role: 'assistant' }] } })]
      : []),
    end({ content: said.slice(4) }),
  ];
};

const send = async (socket: WebSocket, { pieces, cut }: Pick<MockReply, 'pieces' | 'cut'>): Promise<void> => {
  for (const piece of pieces) {
    await new Promise<void>((resolve) => socket.send(String(piece), () => resolve()));
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  // Otherwise the service leaves it to its clients to close.
  if (cut === true) socket.terminate();
};

/** iFlytek’s Spark: a WebSocket for each call, whose address has to be signed. Replies of a test’s own go out as messages. */
export const startSparkMock = async (): Promise<MockServer & { readonly open: number }> => {
  const requests: MockRequest[] = [];
  const next: MockReply[] = [];
  const sockets = new Set<WebSocket>();
  let left = 0;
  const refuse = (socket: Duplex, status: string, said: string): void => {
    socket.end(
      `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${said.length}\r\nconnection: close\r\n\r\n${said}`,
    );
  };
  const server = createServer();
  const taken = new WebSocketServer({ noServer: true });
  server.on('upgrade', (req, socket, head) => {
    const path = req.url ?? '';
    if (!isSigned(req)) {
      requests.push({ method: 'GET', path, headers: req.headers, body: Buffer.alloc(0), json: {} });
      return refuse(socket, '401 Unauthorized', '{"message":"HMAC signature cannot be verified"}');
    }
    taken.handleUpgrade(req, socket, head, (ws) => {
      sockets.add(ws);
      let isDone = false;
      ws.on('close', () => {
        sockets.delete(ws);
        if (!isDone) left++;
      });
      ws.on('error', () => undefined);
      ws.once('message', (data: Buffer) => {
        const json = JSON.parse(data.toString('utf8')) as Json;
        const { pathname } = new URL(path, 'ws://any');
        requests.push({ method: 'GET', path: pathname, headers: req.headers, body: data, json });
        const reply: Pick<MockReply, 'pieces' | 'cut' | 'hang'> = next.shift() ?? { pieces: answer(pathname, json) };
        void send(ws, reply).then(() => {
          isDone = reply.hang !== true;
        });
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    next,
    get left() {
      return left;
    },
    get open() {
      return sockets.size;
    },
    close: () =>
      new Promise<void>((resolve) => {
        for (const socket of sockets) socket.terminate();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
