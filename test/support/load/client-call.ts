import { request as httpRequest, type Agent } from 'node:http';

/** What a client asks for. */
export interface PlannedCall {
  /** Goes along in the request's `user` field, which the upstream keeps: it joins the three records of a call. */
  readonly marker: string;
  readonly model: string;
  readonly streamed: boolean;
  readonly maxTokens: number;
  /** What the upstream will report; no two calls of a run report the same. */
  readonly usage: { readonly prompt: number; readonly cached: number; readonly output: number };
  /** Whether all goes as it should: the charge must be what the reported usage comes to. */
  readonly ordinary: boolean;
  /** Behaviour of the fake provider. */
  readonly script: Readonly<Record<string, unknown>>;
  /** The client hangs up after so many events of a stream. */
  readonly leavesAfter: number | null;
}

/**
 * What the client saw.
 * - `complete`: the whole answer: a whole body, or a stream with its `[DONE]`, and the end of the message.
 * - `refused`: an error answer, whole. `left`: the client hung up by its own will. `broken`: anything else.
 */
export type Seen = 'complete' | 'refused' | 'left' | 'broken';

/** One call as its client keeps it. */
export interface ClientCall extends PlannedCall {
  readonly seen: Seen;
  readonly status: number | null;
  /** `x-request-id`, where headers came. */
  readonly requestId: string | null;
  /** What the gateway said that it cost, in dollars. */
  readonly cost: string | null;
  /** Code of an error, or of what broke. */
  readonly error: string | null;
  readonly tookMs: number;
  /** By `performance.now()`. */
  readonly endedAt: number;
}

const headerOf = (value: string | string[] | undefined): string | null => (typeof value === 'string' ? value : null);

const codeOf = (body: string): string | null => /"code":"([a-z_]+)"/.exec(body)?.[1] ?? null;

/** Makes a call over plain HTTP and says how it went. Never throws. */
export const call = (url: string, apiKey: string, agent: Agent, planned: PlannedCall): Promise<ClientCall> => {
  const began = performance.now();
  const body = JSON.stringify({
    model: planned.model,
    messages: [{ role: 'user', content: planned.marker }],
    max_tokens: planned.maxTokens,
    user: planned.marker,
    stream: planned.streamed,
    ...(planned.streamed ? { stream_options: { include_usage: true } } : {}),
    'x-fake-script': planned.script,
  });
  return new Promise((resolve) => {
    let status: number | null = null;
    let requestId: string | null = null;
    let cost: string | null = null;
    const done = (seen: Seen, error: string | null): void =>
      resolve({ ...planned, seen, status, requestId, cost, error, tookMs: performance.now() - began, endedAt: performance.now() });

    const sent = httpRequest(
      `${url}/v1/chat/completions`,
      {
        method: 'POST',
        agent,
        headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      },
      (response) => {
        status = response.statusCode ?? null;
        requestId = headerOf(response.headers['x-request-id']);
        cost = headerOf(response.headers['x-oblivious-cost']);
        let text = '';
        let events = 0;
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
          if (planned.leavesAfter === null) return;
          events += chunk.split('\n\n').length - 1;
          if (events < planned.leavesAfter) return;
          done('left', null);
          sent.destroy();
        });
        response.on('end', () => {
          if (!response.complete) return done('broken', 'cut');
          if (status !== 200) return done('refused', codeOf(text));
          if (planned.streamed) {
            cost = /"cost":"([0-9.]+)"/.exec(text)?.[1] ?? null;
            return text.endsWith('data: [DONE]\n\n') ? done('complete', null) : done('broken', codeOf(text) ?? 'no end');
          }
          return isJson(text) ? done('complete', null) : done('broken', 'not JSON');
        });
        response.on('error', (error: NodeJS.ErrnoException) => done('broken', error.code ?? error.message));
      },
    );
    sent.on('error', (error: NodeJS.ErrnoException) => done('broken', error.code ?? error.message));
    sent.end(body);
  });
};

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};
