import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Json = Record<string, unknown>;

interface Asked {
  readonly custom_id: string;
  readonly params: Json;
}

/** Anthropic’s message batches, worked on when it is told to. */
export interface MessageBatchUpstream {
  readonly baseUrl: string;
  readonly calls: { readonly method: string; readonly path: string; readonly headers: IncomingMessage['headers']; readonly body: string }[];
  readonly batches: Map<string, Json & { readonly asked: readonly Asked[] }>;
  refuseWith: { readonly status: number; readonly body: object } | null;
  /** Ends every batch; each request comes to the `result` that is given for it. */
  finish(resultOf: (asked: Asked) => object): void;
  close(): Promise<void>;
}

const json = (res: ServerResponse, value: unknown, status = 200): void =>
  void res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));

export const startMessageBatchUpstream = async (): Promise<MessageBatchUpstream> => {
  const batches = new Map<string, Json & { readonly asked: readonly Asked[] }>();
  const results = new Map<string, string>();
  const shown = ({ asked: _asked, ...rest }: Json): Json => rest;
  const answer = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const pieces: Buffer[] = [];
    for await (const piece of req) pieces.push(piece as Buffer);
    const body = Buffer.concat(pieces).toString();
    const [path = ''] = (req.url ?? '').split('?');
    const method = req.method ?? '';
    upstream.calls.push({ method, path, headers: req.headers, body });
    const fault = (status: number, type: string, message: string): void => json(res, { type: 'error', error: { type, message } }, status);
    if (req.headers['x-api-key'] !== 'sk-upstream-1') return fault(401, 'authentication_error', 'invalid x-api-key');
    if (req.headers['anthropic-version'] === undefined) return fault(400, 'invalid_request_error', 'anthropic-version: header is required');
    const [, , , , id = '', what] = path.split('/');
    if (id === '') {
      if (upstream.refuseWith !== null) return json(res, upstream.refuseWith.body, upstream.refuseWith.status);
      const { requests } = JSON.parse(body) as { readonly requests: readonly Asked[] };
      const batch = {
        ...{ id: `msgbatch_theirs${batches.size + 1}`, type: 'message_batch', processing_status: 'in_progress', asked: requests },
        ...{ created_at: '2026-01-01T12:00:00Z', expires_at: '2026-01-02T12:00:00Z', ended_at: null, cancel_initiated_at: null },
        ...{ archived_at: null, results_url: null },
        request_counts: { processing: requests.length, succeeded: 0, errored: 0, canceled: 0, expired: 0 },
      };
      batches.set(batch.id, batch);
      return json(res, shown(batch));
    }
    const batch = batches.get(id);
    if (batch === undefined) return fault(404, 'not_found_error', `No batch ${id}`);
    if (method === 'DELETE') {
      batches.delete(id);
      return json(res, { id, type: 'message_batch_deleted' });
    }
    if (what === 'results') return void res.writeHead(200, { 'content-type': 'application/x-jsonl' }).end(results.get(id));
    if (what === 'cancel') Object.assign(batch, { processing_status: 'canceling', cancel_initiated_at: '2026-01-01T12:30:00Z' });
    json(res, shown(batch));
  };
  const server = createServer((req, res) => void answer(req, res).catch(() => res.destroy()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  const upstream: MessageBatchUpstream = {
    baseUrl,
    calls: [],
    batches,
    refuseWith: null,
    finish: (resultOf) => {
      for (const [id, batch] of batches) {
        const lines = batch.asked.map((asked) => ({ custom_id: asked.custom_id, result: resultOf(asked) as { readonly type: string } }));
        results.set(id, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
        const count = (type: string): number => lines.filter(({ result }) => result.type === type).length;
        Object.assign(batch, {
          ...{ processing_status: 'ended', ended_at: '2026-01-01T13:00:00Z', results_url: `${baseUrl}/messages/batches/${id}/results` },
          request_counts: {
            ...{ processing: 0, succeeded: count('succeeded'), errored: count('errored') },
            ...{ canceled: count('canceled'), expired: count('expired') },
          },
        });
      }
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return upstream;
};
