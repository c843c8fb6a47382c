import { createServer, IncomingMessage, ServerResponse, STATUS_CODES, type Server } from 'node:http';
import { Server as TcpServer, type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Express, Request, Response } from 'express';
import type { IdSource } from '../../commands/ports/id-source.ts';
import { errorTable, type ErrorCode } from '../../schemas/errors.ts';

export interface HttpServerOptions {
  readonly app: Express;
  readonly ids: IdSource;
  /** How long a client may take to send its headers, and to send its whole request. Milliseconds. */
  readonly headersMs?: number;
  readonly requestMs?: number;
  /** How long an idle connection is kept: longer than load balancers do, so that they close first. */
  readonly keepAliveMs?: number;
  /** Beyond this many connections new ones are closed at once. */
  readonly connections?: number;
  /** The same for those from one address; `null`: no limit, as it has to be where a proxy stands before all callers. */
  readonly connectionsPerAddress?: number | null;
  /** The most that the head of a request may have. */
  readonly headerBytes?: number;
  readonly headers?: number;
  /** Told of what nobody caught; the client is told only that there was something. */
  readonly failed?: (error: unknown, requestId: string) => void;
}

export interface HttpServer {
  readonly server: Server;
  /** Resolves with the port that was taken. */
  listen(port: number, host: string): Promise<number>;
  /**
   * From here on each request is offered to `take` before Express gets it; it says whether it takes it. What Express makes for a request (a chain of handlers, one for
   * what none of them takes) costs a tenth of a relayed call. Requests and responses are Express's own all the same.
   */
  takeRequests(take: (req: Request, res: Response) => boolean): void;
  /**
   * From here on requests for another protocol are given to `take`, which says whether it takes them. Those that it does not take are answered
   * as if they had not asked: clients may always go on in the protocol that they came with, and some ask for HTTP/2 with each first request.
   */
  takeUpgrades(take: (req: IncomingMessage, socket: Duplex, head: Buffer) => boolean): void;
  /** From here on every answer is the last one of its connection. */
  closeAfterAnswers(): void;
  /**
   * Takes no new connection; those in use close with their answer. Idle ones are kept for `lingerMs` more, for a request that is on its
   * way already: closed under it, it would have failed. Resolves when all are gone.
   */
  close(lingerMs?: number): Promise<void>;
  /** Cuts what is still open. */
  closeAll(): void;
}

/**
 * Express sets the prototype of each request and response to its own, and V8 then drops all it has learnt about them: most
 * of what Express costs. Objects that are made with the app's prototypes in the first place find nothing to change, and Express
 * runs at the speed of node:http. Apps mounted in this one would pay again: mount routers.
 */
const expressClasses = (app: Express): { IncomingMessage: typeof IncomingMessage; ServerResponse: typeof ServerResponse } => {
  class ExpressRequest extends IncomingMessage {}
  class ExpressResponse<Request extends IncomingMessage = IncomingMessage> extends ServerResponse<Request> {}
  Object.setPrototypeOf(ExpressRequest.prototype, app.request);
  Object.setPrototypeOf(ExpressResponse.prototype, app.response);
  // Express makes one for each response that has none; nobody here reads it.
  app.response.locals = Object.freeze({});
  app.request = ExpressRequest.prototype as unknown as Express['request'];
  app.response = ExpressResponse.prototype as unknown as Express['response'];
  return { IncomingMessage: ExpressRequest, ServerResponse: ExpressResponse };
};

const CLOSE_IDLE_MS = 50;

const STATUS_OF: Readonly<Record<string, number>> = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 };

/** A client that has vanished without a word is found out by the kernel's probes; the first goes out after this long without a byte. */
const PROBE_MS = 30_000;

/** Closes what comes from an address that has as many connections as one may have. */
const limitPerAddress = (server: Server, most: number): void => {
  const open = new Map<string, number>();
  const counted = new WeakSet<Socket>();
  server.prependListener('connection', (socket: Socket) => {
    const { remoteAddress: address } = socket;
    // One that goes on after it has asked for another protocol comes here again.
    if (address === undefined || counted.has(socket)) return;
    const others = open.get(address) ?? 0;
    if (others >= most) return void socket.destroy();
    counted.add(socket);
    open.set(address, others + 1);
    socket.once('close', () => {
      const left = (open.get(address) ?? 1) - 1;
      if (left === 0) open.delete(address);
      else open.set(address, left);
    });
  });
};

const errorOf = (status: number, refused: ErrorCode = 'invalid_request'): string => {
  const message =
    refused === 'invalid_request' ? `The request is not valid HTTP: ${STATUS_CODES[status] ?? 'Bad Request'}.` : errorTable[refused].title;
  return JSON.stringify({ error: { message, type: errorTable[refused].type, param: null, code: refused } });
};

/** What is not HTTP has no request to answer by the usual way; it gets a complete answer all the same. */
const answerBroken = (error: NodeJS.ErrnoException, socket: Socket, ids: IdSource): void => {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const status = STATUS_OF[error.code ?? ''] ?? 400;
  const body = errorOf(status);
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nx-request-id: ${ids.next('req')}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
};

const UPGRADING: ReadonlySet<string> = new Set(['upgrade', 'http2-settings', 'connection']);

/** The bytes of a request's head without what asks for another protocol. */
const withoutUpgrade = ({ method, url, httpVersion, rawHeaders }: IncomingMessage): Buffer => {
  const lines = [`${method ?? 'GET'} ${url ?? '/'} HTTP/${httpVersion}`];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    const value = rawHeaders[at + 1] ?? '';
    if (!UPGRADING.has(name.toLowerCase())) lines.push(`${name}: ${value}`);
    else if (name.toLowerCase() === 'connection' && /\bclose\b/i.test(value)) lines.push('connection: close');
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
};

/** In the words of {@link answerBroken}, where there is a request to answer. */
const refuseRequest = (res: ServerResponse, status: number, ids: IdSource): void => {
  res.writeHead(status, { 'x-request-id': ids.next('req'), 'content-type': 'application/json', connection: 'close' });
  res.end(errorOf(status));
};

/** What every route has passed on, or failed at: Express would answer with a page, and with the stack. */
const answerLast = (res: ServerResponse, error: unknown, { ids, failed }: Pick<HttpServerOptions, 'ids' | 'failed'>): void => {
  const isTheirs = error instanceof URIError;
  const isNothing = error === undefined || error === null;
  const given = res.getHeader('x-request-id');
  const requestId = typeof given === 'string' ? given : ids.next('req');
  if (!isNothing && !isTheirs) failed?.(error, requestId);
  if (res.headersSent) return void res.destroy();
  const refused = isTheirs ? 'invalid_request' : isNothing ? 'not_found' : 'internal';
  const { status } = errorTable[refused];
  res.setHeader('x-request-id', requestId);
  res.writeHead(status, { 'content-type': 'application/json' });
  res.end(errorOf(status, refused));
};

export const createHttpServer = (options: HttpServerOptions): HttpServer => {
  const { app, ids, headersMs = 10_000, requestMs = 120_000, keepAliveMs = 75_000, connections = 20_000 } = options;
  const { connectionsPerAddress = null, headerBytes = 16 * 1024, headers = 200 } = options;
  let take: (req: Request, res: Response) => boolean = () => false;
  app.disable('x-powered-by');
  app.disable('etag');
  const server = createServer(
    {
      ...expressClasses(app),
      headersTimeout: headersMs,
      requestTimeout: requestMs,
      keepAliveTimeout: keepAliveMs,
      connectionsCheckingInterval: 1_000,
      maxHeaderSize: headerBytes,
      keepAlive: true,
      keepAliveInitialDelay: PROBE_MS,
      // Node would answer what has none in its own way.
      requireHostHeader: false,
    },
    (req, res) => {
      if (req.rawHeaders.length > 2 * headers) refuseRequest(res, 431, ids);
      else if (req.headers.host === undefined && req.httpVersion === '1.1') refuseRequest(res, 400, ids);
      else if (!take(req as Request, res as Response))
        app(req as Request, res as Response, (error: unknown) => answerLast(res, error, options));
    },
  );
  // Node would drop the rest without a word, and what is dropped may be what decides.
  server.maxHeadersCount = 0;
  server.maxConnections = connections;
  if (connectionsPerAddress !== null) limitPerAddress(server, connectionsPerAddress);
  server.on('checkExpectation', (_req, res: ServerResponse) => refuseRequest(res, 417, ids));
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => answerBroken(error, socket, ids));

  let closing = false;
  server.prependListener('request', (_req, res: ServerResponse) => {
    if (closing) res.setHeader('connection', 'close');
  });

  return {
    server,
    listen: (port, host) =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, host, 4_096, () => {
          server.off('error', reject);
          resolve((server.address() as AddressInfo).port);
        });
      }),
    takeRequests: (takes) => {
      take = takes;
    },
    takeUpgrades: (takes) => {
      server.on('upgrade', (req: IncomingMessage, socket: Socket, head: Buffer) => {
        if (takes(req, socket, head)) return;
        socket.unshift(Buffer.concat([withoutUpgrade(req), head]));
        server.emit('connection', socket);
      });
    },
    closeAfterAnswers: () => {
      closing = true;
    },
    close: (lingerMs = 0) => {
      closing = true;
      return new Promise((resolve) => {
        let idle: NodeJS.Timeout;
        // A connection whose last answer went out after this began becomes idle, and nobody else closes it.
        const closeIdle = (): void => {
          server.closeIdleConnections();
          idle = setTimeout(closeIdle, CLOSE_IDLE_MS);
        };
        idle = setTimeout(closeIdle, lingerMs);
        // The close of an HTTP server would close idle connections itself, at once.
        TcpServer.prototype.close.call(server, () => {
          clearTimeout(idle);
          // The timer that looks for slow requests is stopped by this one only.
          server.close();
          resolve();
        });
        if (lingerMs === 0) server.closeIdleConnections();
      });
    },
    closeAll: () => server.closeAllConnections(),
  };
};
