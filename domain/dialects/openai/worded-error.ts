import { isRecord, textOf } from '../loose-json.ts';

type Json = Readonly<Record<string, unknown>>;

const TYPES: ReadonlyMap<number, readonly [type: string, code: string | null]> = new Map([
  [401, ['authentication_error', 'invalid_api_key']],
  [402, ['insufficient_quota', 'insufficient_quota']],
  [403, ['permission_error', null]],
  [404, ['invalid_request_error', 'model_not_found']],
  [429, ['rate_limit_error', 'rate_limit_exceeded']],
]);

/** The sentence of an error that has little more: `{"message": …}` (AWS writes it with a capital, too), `{"error": …}` or `{"detail": …}`. */
const sentenceIn = (body: unknown): string => {
  if (!isRecord(body)) return '';
  const { message, Message: capital, error, detail } = body;
  return textOf(message) || textOf(capital) || textOf(error) || textOf(detail) || (isRecord(error) ? textOf(error['message']) : '');
};

/** An error that is told by its status and a sentence, in OpenAI's form. Anything may come. */
export const wordedError = (status: number, body: unknown): Json => {
  const sentence = sentenceIn(body);
  const [type, code] = TYPES.get(status) ?? [status < 500 ? 'invalid_request_error' : 'server_error', null];
  return { error: { message: sentence === '' ? 'The upstream refused the request.' : sentence, type, param: null, code } };
};
