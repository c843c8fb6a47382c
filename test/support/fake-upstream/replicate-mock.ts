import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { MockReply, MockRequest, MockServer } from './mock-server.ts';

type Json = Readonly<Record<string, unknown>>;

interface Prediction {
  readonly id: string;
  readonly said: readonly string[];
  readonly isPicture: boolean;
  looks: number;
  status: string;
  error: string | null;
}

export interface ReplicateMock extends MockServer {
  /** How many looks a prediction takes that is made next, beyond the answer to its creation. */
  looks: number;
  /** What the next prediction comes to. */
  ending: { readonly status: string; readonly error: string | null };
  /** What it says is the address of events; `null`: none. */
  events: ((own: string) => string) | null;
  /** Its stream says the first piece and no more. */
  stalls: boolean;
  readonly cancelled: readonly string[];
}

const KNOWN: ReadonlySet<string> = new Set(['input', 'version', 'stream']);

const fault = (status: number, detail: string): [number, Json] => [status, { title: 'Error', detail, status }];

/** Replicate’s predictions, as its reference describes them. Its base URL has `/v1` at its end. */
export const startReplicateMock = async (): Promise<ReplicateMock> => {
  const requests: MockRequest[] = [];
  const next: MockReply[] = [];
  const cancelled: string[] = [];
  const predictions = new Map<string, Prediction>();
  const settings: Pick<ReplicateMock, 'looks' | 'ending' | 'events' | 'stalls'> = {
    looks: 1,
    ending: { status: 'succeeded', error: null },
    events: (own) => own,
    stalls: false,
  };
  let url = '';
  let left = 0;

  const told = ({ id, said, isPicture, status, error, looks }: Prediction): Json => {
    const ended = looks <= 0;
    const urls: Record<string, string> = { get: `${url}/v1/predictions/${id}`, cancel: `${url}/v1/predictions/${id}/cancel` };
    if (!isPicture && settings.events !== null) urls['stream'] = settings.events(`${url}/v1/files/${id}/stream`);
    return {
      id,
      status: ended ? status : 'processing',
      urls,
      output: ended && status === 'succeeded' ? said : null,
      error: ended ? error : null,
      metrics: ended ? { predict_time: 1.5, ...(isPicture ? {} : { input_token_count: 20, output_token_count: 7 }) } : {},
    };
  };

  const create = (path: string, json: Json, waits: boolean): [number, Json] => {
    const input = json['input'] as Json | undefined;
    const stray = Object.keys(json).find((name) => !KNOWN.has(name));
    if (stray !== undefined || typeof input?.['prompt'] !== 'string') return fault(422, '- input: prompt is required\n');
    if (path.includes('/nobody/')) return fault(404, 'The requested resource could not be found.');
    if (path === '/v1/predictions' && !/^[0-9a-f]{64}$/.test(String(json['version']))) return fault(422, '- version is required\n');
    const isPicture = path.includes('/flux');
    const pictures = Number(input['num_outputs'] ?? 1);
    const made: Prediction = {
      id: `p${predictions.size + 1}`,
      isPicture,
      said: isPicture ? Array.from({ length: pictures }, (_, index) => `https://replicate.delivery/${index}.webp`) : ['Hell', 'o there.'],
      looks: settings.looks,
      ...settings.ending,
    };
    // Who is asked to wait answers with the end where that comes soon.
    if (waits && made.looks <= 1) made.looks = 0;
    predictions.set(made.id, made);
    return [201, told(made)];
  };

  const send = (res: ServerResponse, [status, body]: [number, Json]): void => {
    res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };

  const stream = (res: ServerResponse, prediction: Prediction): void => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    const event = (name: string, data: string): string =>
      `event: ${name}\nid: 1\n${data
        .split('\n')
        .map((line) => `data: ${line}\n`)
        .join('')}\n`;
    res.write(': hi\n\n');
    res.write(event('output', prediction.said[0] ?? ''));
    if (settings.stalls) return;
    prediction.looks = 0;
    // The last piece is lost on the way; who reads the prediction has it all the same.
    res.write(event('done', '{}'));
  };

  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    res.on('close', () => {
      if (!res.writableFinished) left++;
    });
    req.on('end', () => {
      const body = Buffer.concat(chunks);
      const { method = '', url: path = '', headers } = req;
      const json = (body.length === 0 ? {} : JSON.parse(body.toString('utf8'))) as Json;
      requests.push({ method, path, headers, body, json });
      const scripted = next.shift();
      if (scripted !== undefined) return void res.writeHead(scripted.status, scripted.headers).end(scripted.pieces.join(''));
      if (headers.authorization !== 'Bearer sk-replicate') return send(res, fault(401, 'You did not pass a valid authentication token'));
      const [, id = '', what = ''] = /^\/v1\/(?:predictions|files)\/(p\d+)(\/cancel|\/stream)?$/.exec(path) ?? [];
      const known = predictions.get(id);
      if (known === undefined) {
        if (method === 'POST') return send(res, create(path, json, String(headers['prefer']).startsWith('wait')));
        return send(res, fault(404, 'Not found.'));
      }
      if (what === '/cancel') {
        cancelled.push(id);
        known.looks = 0;
        known.status = 'canceled';
      } else if (what === '/stream') return stream(res, known);
      else known.looks--;
      send(res, [200, told(known)]);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return Object.assign(settings, {
    url,
    requests,
    next,
    cancelled,
    get left() {
      return left;
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
};
