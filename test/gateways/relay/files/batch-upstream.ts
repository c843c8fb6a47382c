import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface HeldFile {
  readonly id: string;
  readonly bytes: Buffer;
  readonly filename: string;
  readonly purpose: string;
}

/** A provider that has files and batches, and works on these when it is told to. */
export interface BatchUpstream {
  readonly baseUrl: string;
  readonly calls: { readonly method: string; readonly path: string; readonly authorization: string; readonly body: string }[];
  readonly files: Map<string, HeldFile>;
  readonly batches: Map<string, Record<string, unknown>>;
  /** How creating a batch is answered in the place of taking it. */
  refuseWith: { readonly status: number; readonly body: unknown } | null;
  /** Ends every batch; each line of its input is answered by `answer`, or fails where that is `null`. */
  finish(answer: (line: Record<string, unknown>) => object | null, status?: string): void;
  reset(): void;
  close(): Promise<void>;
}

const bodyOf = async (req: IncomingMessage): Promise<Buffer> => {
  const pieces: Buffer[] = [];
  for await (const piece of req) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
};

const json = (res: ServerResponse, value: unknown, status = 200): void =>
  void res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));

export const startBatchUpstream = async (): Promise<BatchUpstream> => {
  const files = new Map<string, HeldFile>();
  const batches = new Map<string, Record<string, unknown>>();
  let count = 0;
  const keep = (bytes: Buffer, filename: string, purpose: string): HeldFile => {
    const file = { id: `file-theirs${++count}`, bytes, filename, purpose };
    files.set(file.id, file);
    return file;
  };
  const fileObject = ({ id, bytes, filename, purpose }: HeldFile): object => ({
    ...{ id, object: 'file', bytes: bytes.length, created_at: 1_767_268_800, filename, purpose, status: 'processed' },
  });
  const answer = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const body = await bodyOf(req);
    const path = (req.url ?? '').replace('/v1', '');
    const method = req.method ?? '';
    upstream.calls.push({ method, path, authorization: req.headers.authorization ?? '', body: body.toString('latin1').slice(0, 2_000) });
    const [, kind, id = '', what] = path.split('/');
    const missing = (): void => json(res, { error: { message: `No such thing: ${id}`, type: 'invalid_request_error', code: null } }, 404);
    if (kind === 'files' && method === 'POST') {
      const form = await new Response(new Uint8Array(body), { headers: { 'content-type': req.headers['content-type'] ?? '' } }).formData();
      const file = form.get('file') as File;
      return json(res, fileObject(keep(Buffer.from(await file.arrayBuffer()), file.name, form.get('purpose') as string)));
    }
    if (kind === 'files') {
      const file = files.get(id);
      if (file === undefined) return missing();
      if (what === 'content') return void res.writeHead(200, { 'content-type': 'application/octet-stream' }).end(file.bytes);
      if (method === 'GET') return json(res, fileObject(file));
      files.delete(id);
      return json(res, { id, object: 'file', deleted: true });
    }
    if (id === '') {
      const { refuseWith } = upstream;
      if (refuseWith !== null) return json(res, refuseWith.body, refuseWith.status);
      const asked = JSON.parse(body.toString()) as Record<string, unknown>;
      const batch = {
        ...{ id: `batch_theirs${++count}`, object: 'batch', errors: null, status: 'validating', created_at: 1_767_268_800 },
        ...{ output_file_id: null, error_file_id: null, request_counts: { total: 0, completed: 0, failed: 0 }, ...asked },
      };
      batches.set(batch.id, batch);
      return json(res, batch);
    }
    const batch = batches.get(id);
    if (batch === undefined) return missing();
    if (what === 'cancel') batch['status'] = 'cancelling';
    return json(res, batch);
  };
  const server = createServer((req, res) => void answer(req, res).catch(() => res.destroy()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const upstream: BatchUpstream = {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    calls: [],
    files,
    batches,
    refuseWith: null,
    finish: (answerOf, status = 'completed') => {
      for (const batch of batches.values()) {
        const lines = files.get(String(batch['input_file_id']))?.bytes.toString().trim().split('\n') ?? [];
        const [made, failed]: [string[], string[]] = [[], []];
        for (const text of lines) {
          const line = JSON.parse(text) as Record<string, unknown>;
          const body = answerOf(line);
          const said = {
            custom_id: line['custom_id'],
            response: body === null ? null : { status_code: 200, body },
            error: body === null ? {} : null,
          };
          (body === null ? failed : made).push(JSON.stringify(said));
        }
        if (made.length > 0) batch['output_file_id'] = keep(Buffer.from(made.join('\n') + '\n'), 'output.jsonl', 'batch_output').id;
        if (failed.length > 0) batch['error_file_id'] = keep(Buffer.from(failed.join('\n')), 'error.jsonl', 'batch_output').id;
        batch['request_counts'] = { total: lines.length, completed: made.length, failed: failed.length };
        batch['status'] = status;
      }
    },
    reset: () => {
      files.clear();
      batches.clear();
      upstream.calls.length = 0;
      upstream.refuseWith = null;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return upstream;
};
