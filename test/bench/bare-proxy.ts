/**
 * The least that a proxy on Node can do: node:http in, undici out, nothing looked at. Run as a child process with the upstream's origin
 * as its argument; sends `{ port }` to its parent when it listens and ends with it.
 */
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { Pool } from 'undici';
import type { Dispatcher } from 'undici';

const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding']);

const [origin] = process.argv.slice(2);
if (origin === undefined) throw new Error('usage: bare-proxy.ts UPSTREAM_ORIGIN');
const pool = new Pool(origin, { connections: 256, pipelining: 1, keepAliveTimeout: 60_000 });

const answerInto = (response: ServerResponse, client: Socket): Dispatcher.DispatchHandler => ({
  onRequestStart(controller) {
    response.on('close', () => {
      if (!response.writableFinished) controller.abort(new Error('the client left'));
    });
    response.on('drain', () => controller.resume());
  },
  onResponseStart(_controller, status, headers) {
    response.writeHead(status, Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.has(name))));
  },
  onResponseData(controller, chunk) {
    // A client that has gone never drains, and a paused upstream connection would be lost to the pool.
    if (client.destroyed) controller.abort(new Error('the client left'));
    else if (!response.write(chunk)) controller.pause();
  },
  onResponseEnd() {
    response.end();
  },
  onResponseError() {
    if (response.headersSent) response.destroy();
    else response.writeHead(502).end();
  },
});

const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0, noDelay: true }, (request, response) => {
  const headers = { 'content-type': 'application/json', authorization: 'Bearer sk-upstream' };
  pool.dispatch({ path: request.url ?? '/', method: 'POST', headers, body: request }, answerInto(response, request.socket));
});

process.once('disconnect', () => process.exit());
server.listen(0, '127.0.0.1', 4096, () => process.send?.({ port: (server.address() as AddressInfo).port }));
