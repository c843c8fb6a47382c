import type { Readable } from 'node:stream';
import type { Upstream, UpstreamExchange, UpstreamRequest } from '../../ports/upstream.ts';
import type { Call } from '../call.ts';
import { parsedJson } from '../dialects/parsed-json.ts';

export interface UploadAnswer {
  readonly status: number;
  readonly said: unknown;
  readonly text: string;
}

const MOST_BYTES = 1024 * 1024;

/** Sends what comes to an upstream while it comes; `null` where no answer came within the time, or the client left. */
export const uploadFile = (
  upstream: Upstream,
  call: Call,
  request: UpstreamRequest & { readonly body: Readable },
  withinMs: number,
): Promise<UploadAnswer | null> =>
  new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    let status = 0;
    let exchange: UpstreamExchange | null = null;
    const finish = (answer: UploadAnswer | null): void => {
      clearTimeout(timer);
      call.running = null;
      if (answer === null) exchange?.abort();
      request.body.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => finish(null), withinMs);
    call.running = { interrupt: () => finish(null) };
    exchange = upstream.send(request, {
      headers: (answered) => {
        status = answered;
      },
      data: (chunk) => {
        bytes += chunk.length;
        if (bytes <= MOST_BYTES) chunks.push(chunk);
        return true;
      },
      end: () => {
        const text = Buffer.concat(chunks).toString('utf8');
        finish({ status, said: parsedJson(text), text });
      },
      failed: () => finish(null),
    });
  });
