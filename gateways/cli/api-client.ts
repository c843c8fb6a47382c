import type { Refusal } from '../../schemas/errors.ts';
import type { Wire } from '../../schemas/http/wire.ts';
import type { z } from 'zod';
import type { Route } from '../console/route.ts';
import { routes, type Operation, type Routes } from '../console/routes.ts';
import type { ServerAddress } from '../ports/command-line-host.ts';
import { EXIT, fail, type Failure } from './failure.ts';

type Given<R extends Route, Part extends 'params' | 'query' | 'body'> = R[Part] extends z.ZodType ? Wire<R[Part]> : undefined;

/** The parts of a call, as they go over the wire. */
export type Parts<R extends Route> = (Given<R, 'params'> extends undefined
  ? { readonly params?: undefined }
  : { readonly params: Given<R, 'params'> }) &
  (Given<R, 'query'> extends undefined ? { readonly query?: undefined } : { readonly query?: Given<R, 'query'> }) &
  (Given<R, 'body'> extends undefined ? { readonly body?: undefined } : { readonly body: Given<R, 'body'> });

export type AnswerOf<Name extends Operation> = Routes[Name]['response'] extends z.ZodType ? Wire<Routes[Name]['response']> : never;

interface LooseParts {
  readonly params?: Readonly<Record<string, unknown>> | undefined;
  readonly query?: Readonly<Record<string, unknown>> | undefined;
  readonly body?: unknown;
}

/** How long it is tried to reach a server before there is said to be none. */
const REACH_MS = 3_000;

const addressOf = ({ path }: Route, { params = {}, query = {} }: LooseParts): string => {
  const filled = path.replaceAll(/:(\w+)/g, (_whole, name: string) => encodeURIComponent(String(params[name])));
  const asked = Object.entries(query).filter(([, value]) => value !== undefined);
  return `/api${filled}${asked.length === 0 ? '' : `?${new URLSearchParams(Object.fromEntries(asked.map(([name, value]) => [name, String(value)]))).toString()}`}`;
};

const refusalIn = (text: string, { status, headers }: Response): Failure => {
  try {
    const { error } = JSON.parse(text) as {
      readonly error: { readonly code: Refusal['refused']; readonly message: string; readonly requestId?: string };
    };
    // A server that is still starting names the request beside its answer only.
    const requestId = error.requestId ?? headers.get('x-request-id');
    return fail(EXIT.refused, `${error.message} (${error.code}${requestId === null ? '' : `, request ${requestId}`})`);
  } catch {
    return fail(EXIT.unreachable, `What answered is no Oblivious: HTTP ${status}.`);
  }
};

/** The console's API, called by operation, as the route table has it. */
export class ApiClient {
  readonly #server: ServerAddress;
  readonly #signal: AbortSignal;

  constructor(server: ServerAddress, signal: AbortSignal) {
    this.#server = server;
    this.#signal = signal;
  }

  get baseUrl(): string {
    return this.#server.baseUrl;
  }

  /** Whether anything answers there at all, be it that it is still starting. */
  async isThere(): Promise<boolean> {
    try {
      const response = await fetch(new URL('/api/session', this.#server.baseUrl), {
        redirect: 'manual',
        signal: AbortSignal.any([this.#signal, AbortSignal.timeout(REACH_MS)]),
      });
      await response.arrayBuffer();
      return true;
    } catch {
      return false;
    }
  }

  async call<Name extends Operation>(operation: Name, parts: Parts<Routes[Name]>): Promise<AnswerOf<Name> | Failure> {
    const response = await this.#send(operation, parts as LooseParts);
    if (!(response instanceof Response)) return response;
    const text = await response.text();
    return response.ok ? (JSON.parse(text) as AnswerOf<Name>) : refusalIn(text, response);
  }

  /** The rows of a download or the events of a stream, as they come. */
  async rows<Name extends 'exportEvents' | 'tailEvents' | 'tailRequests'>(
    operation: Name,
    parts: Parts<Routes[Name]>,
  ): Promise<AsyncIterable<AnswerOf<Name>> | Failure> {
    const response = await this.#send(operation, parts as LooseParts);
    if (!(response instanceof Response)) return response;
    if (!response.ok || response.body === null) return refusalIn(await response.text(), response);
    const live = (routes[operation] as Route).answer === 'events';
    return rowsOf<AnswerOf<Name>>(response.body, live, this.#signal);
  }

  /** A file as it is. */
  async file<Name extends 'downloadExport'>(operation: Name, parts: Parts<Routes[Name]>): Promise<AsyncIterable<Uint8Array> | Failure> {
    const response = await this.#send(operation, parts);
    if (!(response instanceof Response)) return response;
    if (!response.ok || response.body === null) return refusalIn(await response.text(), response);
    return response.body;
  }

  async #send(operation: Operation, parts: LooseParts): Promise<Response | Failure> {
    const route: Route = routes[operation];
    const { baseUrl, token } = this.#server;
    try {
      return await fetch(new URL(addressOf(route, parts), baseUrl), {
        method: route.method.toUpperCase(),
        redirect: 'manual',
        signal: this.#signal,
        headers: { authorization: `Bearer ${token}`, ...(parts.body === undefined ? {} : { 'content-type': 'application/json' }) },
        ...(parts.body === undefined ? {} : { body: JSON.stringify(parts.body) }),
      });
    } catch (error) {
      if (this.#signal.aborted) return fail(EXIT.failed, 'Interrupted.');
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
      return fail(EXIT.unreachable, `The server at ${baseUrl} cannot be reached: ${cause}.`);
    }
  }
}

/** Lines of JSON, or the data of server-sent events. Ends quietly when it is interrupted. */
async function* rowsOf<Row>(body: ReadableStream<Uint8Array>, live: boolean, signal: AbortSignal): AsyncGenerator<Row> {
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
      rest += decoder.decode(chunk, { stream: true });
      const lines = rest.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (line === '') continue;
        if (!live) yield JSON.parse(line) as Row;
        else if (line.startsWith('data: ')) yield JSON.parse(line.slice('data: '.length)) as Row;
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
