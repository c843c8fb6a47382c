import { isRecord, textOf } from '../loose-json.ts';

type Json = Readonly<Record<string, unknown>>;

/** What the hub is to judge an error by, and to wait for. */
export interface SaidError {
  /** The status that says what it means, which is not always the one that it came with. */
  readonly status: number;
  /** Seconds. */
  readonly wait: number | null;
  /** In OpenAI's form. */
  readonly body: Json;
}

const errorOf = (body: unknown): Json => {
  // Behind addresses that answer with arrays, errors are in one too.
  const said: unknown = Array.isArray(body) ? (body as readonly unknown[])[0] : body;
  return isRecord(said) && isRecord(said['error']) ? said['error'] : {};
};

const detailsOf = (error: Json): readonly Json[] =>
  (Array.isArray(error['details']) ? (error['details'] as readonly unknown[]) : []).filter(isRecord);

const waitOf = (details: readonly Json[]): number | null => {
  for (const detail of details) {
    const seconds = /^(\d+(?:\.\d+)?)s$/.exec(textOf(detail['retryDelay']))?.[1];
    if (seconds !== undefined) return Math.ceil(Number(seconds));
  }
  return null;
};

/** Google tells of keys, accounts and places that are wrong as if the request were. */
const meaningOf = (status: number, error: Json, details: readonly Json[]): number => {
  if (status !== 400) return status;
  const message = textOf(error['message']);
  if (details.some(({ reason }) => reason === 'API_KEY_INVALID')) return 401;
  if (textOf(error['status']) !== 'FAILED_PRECONDITION') return status;
  if (/location/i.test(message)) return 403;
  return /billing/i.test(message) ? 402 : status;
};

const TYPES: ReadonlyMap<number, string> = new Map([
  [401, 'authentication_error'],
  [402, 'insufficient_quota'],
  [403, 'permission_error'],
  [429, 'rate_limit_error'],
]);

const codeOf = (status: number, came: number, message: string): string | null => {
  if (status === 401) return 'invalid_api_key';
  if (status === 403 && came === 400) return 'unsupported_country_region_territory';
  if (status === 404) return 'model_not_found';
  if (status === 429) return 'rate_limit_exceeded';
  return status === 400 && /exceeds the maximum number of tokens/i.test(message) ? 'context_length_exceeded' : null;
};

/** An error of Google's, whole body or event of a stream. Anything may come. */
export const saidError = (came: number, body: unknown): SaidError => {
  const error = errorOf(body);
  const details = detailsOf(error);
  const status = meaningOf(came, error, details);
  const message = textOf(error['message']);
  return {
    status,
    wait: waitOf(details),
    body: {
      error: {
        message: message === '' ? 'The upstream refused the request.' : message,
        type: TYPES.get(status) ?? (status >= 400 && status < 500 ? 'invalid_request_error' : 'server_error'),
        param: null,
        code: codeOf(status, came, message),
      },
    },
  };
};
