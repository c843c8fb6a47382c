import { errorTable, type ErrorCode } from '../../../schemas/errors.ts';
import { ApiFailure } from './failure.ts';

export type QueryValue = string | number | boolean | null | undefined;
export type QueryValues = Readonly<Record<string, QueryValue>>;

export interface CallOptions {
  readonly query?: QueryValues;
  readonly body?: unknown;
  /** The revision that the change was made against; another one is answered with 412. */
  readonly revision?: number;
  /** Names what is asked for: the same name again is answered as the first time, and nothing is done twice. */
  readonly name?: string;
  readonly signal?: AbortSignal;
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** For this long after a change, queries ask for read models that have seen it. */
const READ_OWN_WRITES_MS = 60_000;

interface Connection {
  csrfToken: string | null;
  written: { readonly position: string; readonly at: number } | null;
  onSignedOut: () => void;
}

const connection: Connection = { csrfToken: null, written: null, onSignedOut: () => undefined };

export const setCsrfToken = (token: string | null): void => {
  connection.csrfToken = token;
};

/** Called when the server no longer knows the session. */
export const onSignedOut = (handler: () => void): void => {
  connection.onSignedOut = handler;
};

/** The address of a resource with its query; what is absent or empty is left out. */
export const addressOf = (path: string, query: QueryValues = {}): string => {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query))
    if (value !== undefined && value !== null && value !== '') search.set(key, String(value));
  const text = search.toString();
  return `/api${path}${text === '' ? '' : `?${text}`}`;
};

const afterOwnWrite = (): QueryValues => {
  const { written } = connection;
  return written !== null && Date.now() - written.at < READ_OWN_WRITES_MS ? { after: written.position } : {};
};

const remember = (answer: unknown): void => {
  if (typeof answer !== 'object' || answer === null || !('position' in answer) || typeof answer.position !== 'string') return;
  const known = connection.written;
  if (known === null || BigInt(answer.position) > BigInt(known.position))
    connection.written = { position: answer.position, at: Date.now() };
};

const isCode = (value: unknown): value is ErrorCode => typeof value === 'string' && value in errorTable;

const failureOf = (response: Response, answer: unknown): ApiFailure => {
  const requestId = response.headers.get('x-request-id');
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN);
  const more = { status: response.status, requestId, retryAfterSeconds: Number.isFinite(retryAfter) ? retryAfter : null };
  const problem =
    typeof answer === 'object' && answer !== null && 'error' in answer
      ? (answer.error as { readonly code?: unknown; readonly message?: unknown; readonly param?: unknown; readonly requestId?: unknown })
      : {};
  if (!isCode(problem.code)) return new ApiFailure('unreadable', `HTTP ${response.status}`, more);
  return new ApiFailure(problem.code, typeof problem.message === 'string' ? problem.message : '', {
    ...more,
    requestId: typeof problem.requestId === 'string' ? problem.requestId : requestId,
    param: typeof problem.param === 'string' ? problem.param : null,
  });
};

const send = async (method: Method, path: string, options: CallOptions): Promise<Response> => {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (options.body !== undefined) headers['content-type'] = 'application/json';
  if (options.revision !== undefined) headers['if-match'] = `"${options.revision}"`;
  if (options.name !== undefined) headers['idempotency-key'] = options.name;
  if (method !== 'GET' && connection.csrfToken !== null) headers['x-csrf-token'] = connection.csrfToken;
  const query = method === 'GET' ? { ...afterOwnWrite(), ...options.query } : options.query;
  try {
    return await fetch(addressOf(path, query), {
      method,
      headers,
      credentials: 'same-origin',
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
  } catch (error) {
    if (options.signal?.aborted === true) throw error;
    throw new ApiFailure('unreachable', error instanceof Error ? error.message : String(error));
  }
};

/** @throws {ApiFailure} for every answer but a success. */
export const call = async <Answer>(method: Method, path: string, options: CallOptions = {}): Promise<Answer> => {
  const response = await send(method, path, options);
  const answer: unknown = await response.json().catch(() => undefined);
  if (!response.ok) {
    const failure = failureOf(response, answer);
    if (failure.code === 'not_signed_in') connection.onSignedOut();
    throw failure;
  }
  if (answer === undefined)
    throw new ApiFailure('unreadable', `HTTP ${response.status}`, {
      status: response.status,
      requestId: response.headers.get('x-request-id'),
    });
  remember(answer);
  return answer as Answer;
};
