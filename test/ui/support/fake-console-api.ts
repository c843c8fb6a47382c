import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { setSecurityHeaders } from '../../../gateways/console/security-headers.ts';
import { errorTable, type ErrorCode } from '../../../schemas/errors.ts';
import * as sample from './sample-data.ts';

/**
 * Serves the built console and answers its API from sample data, so that every state of every page can be brought about at
 * will: slow, refused, empty, old. What the pages do against the real server is shown elsewhere.
 */
export interface FakeConsole {
  readonly origin: string;
  /** Answers calls to `GET /keys` and the like by this instead, until {@link FakeConsole.reset}. */
  readonly answer: (operation: string, reply: Reply) => void;
  readonly reset: () => void;
  /** Every call so far, as `POST /keys`, with its body and the revision that it was made against. */
  readonly calls: readonly { readonly operation: string; readonly body: unknown; readonly search: string; readonly revision?: string }[];
  /** Sends a row to whoever follows the requests live. */
  readonly push: (row: unknown) => void;
  readonly close: () => Promise<void>;
}

export interface Reply {
  readonly status?: number;
  /** As it is, or a function of the query. */
  readonly body?: unknown;
  readonly refused?: ErrorCode;
  readonly message?: string;
  readonly retryAfterSeconds?: number;
  /** Held back until this settles. */
  readonly after?: Promise<unknown>;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
};
const REQUEST_ID = 'req_fake0000000000000042';

const readBody = async (request: IncomingMessage): Promise<unknown> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  return text === '' ? undefined : JSON.parse(text);
};

const page = <Row>(rows: readonly Row[], search: URLSearchParams): { rows: readonly Row[]; nextCursor: string | null } => {
  const start = Number(search.get('cursor') ?? 0);
  const end = start + Number(search.get('limit') ?? 50);
  return { rows: rows.slice(start, end), nextCursor: end < rows.length ? String(end) : null };
};

const serveFile = async (root: string, path: string, response: ServerResponse): Promise<void> => {
  const wanted = join(root, normalize(path));
  const file = extname(path) !== '' && (await stat(wanted).catch(() => null)) !== null ? wanted : join(root, 'index.html');
  setSecurityHeaders(response, false);
  response.setHeader('content-type', TYPES[extname(file)] ?? 'application/octet-stream');
  createReadStream(file).pipe(response);
};

export const startFakeConsole = async (
  root: string,
  options: { readonly role?: 'admin' | 'user'; readonly now?: number; readonly signedIn?: boolean } = {},
): Promise<FakeConsole> => {
  const now = options.now ?? Date.now();
  const replies = new Map<string, Reply>();
  const calls: { operation: string; body: unknown; search: string; revision?: string }[] = [];
  const tails = new Set<ServerResponse>();
  let signedIn = options.signedIn ?? true;
  const requests = sample.sampleRequests(now, 420);
  const keys = sample.sampleKeys(now);
  const session = () =>
    signedIn
      ? {
          signedIn: true,
          user: {
            userId: 'usr_0000admin',
            email: 'admin@localhost.example',
            displayName: 'Ada Admin',
            role: options.role ?? 'admin',
            group: 'default',
          },
          csrfToken: 'csrf',
          expiresAt: new Date(now + 3_600_000).toISOString(),
        }
      : { signedIn: false };
  const done = { position: '50000' };

  const builtIn = (operation: string, url: URL): unknown => {
    const { searchParams: search } = url;
    const last = url.pathname.split('/').at(-1)!;
    const fixed: Record<string, () => unknown> = {
      'GET /session': session,
      'POST /session': () => ((signedIn = true), session()),
      'DELETE /session': () => ((signedIn = false), session()),
      'GET /installation': () => ({ version: '0.1.0', apiBaseUrl: 'http://127.0.0.1:3000/v1', sandbox: true, quotaPerUsd: 500_000 }),
      'GET /overview': () => sample.sampleFigures(now),
      'GET /overview/spend': () =>
        sample.sampleSeries(now, search.get('bucket') as 'hour' | 'day', search.get('from')!, search.get('by') as 'model' | 'key'),
      'GET /overview/models': () => sample.sampleModels(),
      'GET /keys': () =>
        page(
          keys.filter((key) => (search.get('status') ?? key.status) === key.status && key.name.includes(search.get('search') ?? '')),
          search,
        ),
      'POST /keys': () => ({
        ...done,
        tokenId: 'key_new',
        secret: 'sk-obl-5c1e0f3d9a7b4826e1d0c9b8a7f6e5d4c3b2a190',
        keyPrefix: 'sk-obl-5c1e',
      }),
      'GET /channels': () => ({ rows: sample.sampleChannels(now) }),
      'GET /channels/export': () => ({
        format: 'oblivious-channels',
        version: 1,
        channels: sample.sampleChannels(now).map(({ settings }) => ({ settings })),
      }),
      'POST /channels/edit': () => ({ ...done, rows: [] }),
      'GET /providers': () => ({ rows: sample.sampleProviders() }),
      'POST /channels': () => ({ ...done, channelId: 'chn_000000000001' }),
      'GET /ledger/journal': () => page(sample.sampleJournal(now), search),
      'GET /ledger/trial-balance': () => sample.sampleTrial(),
      'GET /requests': () => page(requests, search),
      'GET /requests/histogram': () => sample.sampleHistogram(now),
      'GET /users': () => page(sample.sampleUsers(now), search),
      'POST /users': () => ({ ...done, userId: 'usr_new', password: 'correct-horse-battery-staple' }),
      'GET /notifications': () => page(sample.sampleNotifications(now), search),
      'GET /notifications/unread': () => ({ unread: sample.sampleNotifications(now).filter(({ read }) => !read).length }),
      'GET /tasks': () => page(sample.sampleTasks(now), search),
      'GET /exports': () => page(sample.sampleExports(now), search),
      'GET /limits': () => sample.sampleLimits(),
      'GET /routing/rules': () => sample.sampleRouting(now),
      'POST /routing/simulate': () => sample.sampleSimulation(now),
      'GET /account': () => sample.sampleProfile(now),
      'GET /prices/models': () => ({ rows: [], nextCursor: null, priceListId: null, groupRatio: 1_000_000 }),
    };
    const known = fixed[operation];
    if (known !== undefined) return known();
    if (/^GET \/keys\//.test(operation)) return keys.find((key) => key.tokenId === last) ?? keys[0];
    if (/^GET \/requests\//.test(operation))
      return sample.sampleDetail(now, requests.find((row) => row.requestId === last) ?? requests[1]!);
    if (/^GET \/ledger\/charges\//.test(operation)) return sample.sampleExplanation(now, last);
    if (/^GET \/tasks\//.test(operation)) return sample.sampleTasks(now).find((task) => task.taskId === last) ?? sample.sampleTasks(now)[0];
    if (/^GET \/users\//.test(operation)) return sample.sampleUsers(now).find((user) => user.userId === last) ?? sample.sampleUsers(now)[1];
    if (/^POST \/channels\/[^/]+\/balance$/.test(operation)) return { currency: 'USD', amount: '118.42' };
    if (/^POST \/channels\/[^/]+\/test$/.test(operation)) return { ...done, ok: true, model: 'gpt-5.2', latencyMs: 431, message: '' };
    return done;
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://console');
    if (!url.pathname.startsWith('/api/')) return serveFile(root, url.pathname, response);
    url.pathname = url.pathname.slice(4);
    const method = request.method ?? 'GET';
    const operation = `${method} ${url.pathname}`;
    const revision = request.headers['if-match'];
    calls.push({ operation, body: await readBody(request), search: url.search, ...(revision === undefined ? {} : { revision }) });
    if (operation === 'GET /requests/live') {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
      response.write(': open\n\n');
      tails.add(response);
      response.on('close', () => tails.delete(response));
      return undefined;
    }
    const reply = replies.get(operation) ?? replies.get(`${method} *`) ?? {};
    await reply.after;
    const refused = reply.refused === undefined ? undefined : errorTable[reply.refused];
    const body =
      refused === undefined
        ? ((typeof reply.body === 'function' ? (reply.body as (search: URLSearchParams) => unknown)(url.searchParams) : reply.body) ??
          builtIn(operation, url))
        : { error: { code: reply.refused, message: reply.message ?? refused.title, requestId: REQUEST_ID } };
    response.writeHead(reply.status ?? refused?.status ?? 200, {
      'content-type': 'application/json',
      'x-request-id': REQUEST_ID,
      ...(reply.retryAfterSeconds === undefined ? {} : { 'retry-after': String(reply.retryAfterSeconds) }),
    });
    response.end(JSON.stringify(body));
    return undefined;
  };

  const server: Server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  let position = 60_000;
  return {
    origin: `http://127.0.0.1:${port}`,
    answer: (operation, reply) => replies.set(operation, reply),
    reset: () => {
      replies.clear();
      calls.length = 0;
      signedIn = options.signedIn ?? true;
    },
    calls,
    push: (row) => {
      position += 1;
      for (const tail of tails) tail.write(`id: ${position}\nevent: request\ndata: ${JSON.stringify(row)}\n\n`);
    },
    close: () =>
      new Promise((resolve) => {
        for (const tail of tails) tail.end();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
