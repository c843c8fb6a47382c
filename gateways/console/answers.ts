import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { z } from 'zod';
import { CSV_START } from './csv.ts';
import type { Download, StoredFile, StreamedRow } from './handler.ts';
import type { Route } from './route.ts';

/** Comments keep proxies from closing a quiet stream, and find out who is gone. */
const HEARTBEAT_MS = 15_000;

/** Says that the answer is JSON, and how old what it shows is allowed to be: no age at all. */
export const sendJson = (response: ServerResponse, route: Route, value: unknown): void => {
  response.statusCode = route.status ?? 200;
  response.setHeader('content-type', 'application/json; charset=utf-8');
  response.setHeader('cache-control', 'no-store');
  if (typeof value === 'object' && value !== null && 'revision' in value && typeof value.revision === 'number')
    response.setHeader('etag', `"${value.revision}"`);
  // Encoding drops what the schema does not name: nothing is shown by oversight.
  response.end(JSON.stringify(z.encode(route.response, value)));
};

/** Waits while the client reads more slowly than we write. */
const write = async (response: ServerResponse, text: string, signal: AbortSignal): Promise<void> => {
  if (!response.write(text)) await once(response, 'drain', { signal });
};

/** Rows as they come, until they end or the signal aborts. A failure in the middle breaks the connection: a cut file must not look whole. */
export const sendDownload = async (
  response: ServerResponse,
  type: string,
  head: string,
  download: Download<unknown>,
  lineOf: (row: unknown) => string,
  signal: AbortSignal,
): Promise<void> => {
  response.setHeader('content-type', type);
  response.setHeader('content-disposition', `attachment; filename="${download.name}"`);
  response.setHeader('cache-control', 'no-store');
  if (head !== '') await write(response, head, signal);
  for await (const row of download.rows) await write(response, lineOf(row), signal);
  response.end();
};

export const sendFile = async (response: ServerResponse, { name, bytes, content }: StoredFile, signal: AbortSignal): Promise<void> => {
  response.setHeader('content-type', 'application/gzip');
  response.setHeader('content-length', String(bytes));
  response.setHeader('content-disposition', `attachment; filename="${name}"`);
  response.setHeader('cache-control', 'no-store');
  for await (const chunk of content) if (!response.write(chunk)) await once(response, 'drain', { signal });
  response.end();
};

export const sendCsv = (
  response: ServerResponse,
  head: string,
  download: Download<unknown>,
  lineOf: (row: unknown) => string,
  signal: AbortSignal,
): Promise<void> => sendDownload(response, 'text/csv; charset=utf-8', CSV_START + head, download, lineOf, signal);

export const sendLines = (response: ServerResponse, route: Route, download: Download<unknown>, signal: AbortSignal): Promise<void> =>
  sendDownload(
    response,
    'application/x-ndjson; charset=utf-8',
    '',
    download,
    (row) => `${JSON.stringify(z.encode(route.response, row))}\n`,
    signal,
  );

/** Server-sent events until the rows end, the client leaves, or the signal aborts. */
export const sendEvents = async (
  response: ServerResponse,
  route: Route,
  { name, rows }: { readonly name: string; readonly rows: AsyncIterable<StreamedRow<unknown>> },
  signal: AbortSignal,
): Promise<void> => {
  response.setHeader('content-type', 'text/event-stream; charset=utf-8');
  response.setHeader('cache-control', 'no-store, no-transform');
  response.setHeader('x-accel-buffering', 'no');
  response.write('retry: 2000\n\n');
  const heartbeat = setInterval(() => response.write(': still here\n\n'), HEARTBEAT_MS);
  heartbeat.unref();
  try {
    for await (const { id, row } of rows)
      await write(response, `event: ${name}\nid: ${id}\ndata: ${JSON.stringify(z.encode(route.response, row))}\n\n`, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    clearInterval(heartbeat);
    response.end();
  }
};
