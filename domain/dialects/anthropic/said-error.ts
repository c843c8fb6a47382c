import { isRecord, textOf } from '../loose-json.ts';

type Json = Readonly<Record<string, unknown>>;

const TYPES: ReadonlyMap<string, string> = new Map([
  ['billing_error', 'insufficient_quota'],
  ['api_error', 'server_error'],
  ['overloaded_error', 'server_error'],
  ['timeout_error', 'server_error'],
  ['not_found_error', 'invalid_request_error'],
  ['request_too_large', 'invalid_request_error'],
  ['conflict_error', 'invalid_request_error'],
]);

const codeOf = (type: string, message: string): string | null => {
  if (type === 'rate_limit_error') return 'rate_limit_exceeded';
  if (type === 'not_found_error') return 'model_not_found';
  if (type === 'authentication_error') return 'invalid_api_key';
  return /prompt is too long|exceed context limit/i.test(message) ? 'context_length_exceeded' : null;
};

/** An error of Anthropic's, whole body or event of a stream, in OpenAI's form. Anything may come. */
export const saidError = (body: unknown): Json => {
  const error = isRecord(body) && isRecord(body['error']) ? body['error'] : {};
  const type = textOf(error['type']);
  const message = textOf(error['message']);
  return {
    error: {
      message: message === '' ? 'The upstream refused the request.' : message,
      type: TYPES.get(type) ?? (type === '' ? 'server_error' : type),
      param: null,
      code: codeOf(type, message),
    },
  };
};

/** An account without money is told of as if the request were wrong. */
export const isOutOfMoney = (status: number, body: unknown): boolean => {
  if (status !== 400 || !isRecord(body) || !isRecord(body['error'])) return false;
  return /credit balance is too low|reached your specified (?:API )?usage limits?/i.test(textOf(body['error']['message']));
};
