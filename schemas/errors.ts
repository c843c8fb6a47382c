/**
 * The one table of everything that can be refused. A refusal is a value that names a row of it; an edge turns the row into
 * the answer its client understands. `type` is the error type of OpenAI's format.
 */
export const errorTable = {
  // Input
  invalid_json: { status: 400, type: 'invalid_request_error', title: 'The body is not valid JSON.' },
  invalid_request: { status: 400, type: 'invalid_request_error', title: 'The request is not valid.' },
  body_too_large: { status: 413, type: 'invalid_request_error', title: 'The body is too large.' },
  not_found: { status: 404, type: 'invalid_request_error', title: 'There is nothing here.' },
  method_not_allowed: { status: 405, type: 'invalid_request_error', title: 'This address does not take that method.' },
  unsupported_media_type: { status: 415, type: 'invalid_request_error', title: 'Send JSON with content-type application/json.' },
  // Who is calling
  missing_api_key: {
    status: 401,
    type: 'invalid_request_error',
    title: 'No API key was sent. Send it as: Authorization: Bearer YOUR_KEY.',
  },
  invalid_api_key: { status: 401, type: 'invalid_request_error', title: 'The API key is not valid.' },
  key_disabled: { status: 401, type: 'invalid_request_error', title: 'The API key is disabled.' },
  key_revoked: { status: 401, type: 'invalid_request_error', title: 'The API key has been revoked.' },
  key_expired: { status: 401, type: 'invalid_request_error', title: 'The API key has expired.' },
  key_exhausted: { status: 429, type: 'insufficient_quota', title: 'The API key has spent its quota.' },
  user_suspended: { status: 403, type: 'permission_error', title: 'The account is suspended.' },
  address_not_allowed: { status: 403, type: 'permission_error', title: 'The API key may not be used from this address.' },
  endpoint_not_allowed: { status: 403, type: 'permission_error', title: 'The API key may not be used for this endpoint.' },
  model_not_allowed: { status: 403, type: 'permission_error', title: 'The API key may not use this model.' },
  not_signed_in: { status: 401, type: 'invalid_request_error', title: 'Sign in first.' },
  wrong_credentials: { status: 401, type: 'invalid_request_error', title: 'The e-mail address or the password is wrong.' },
  forbidden: { status: 403, type: 'permission_error', title: 'You may not do this.' },
  csrf_failed: { status: 403, type: 'permission_error', title: 'The request did not come from the console.' },
  // How much and how often
  rate_limited: { status: 429, type: 'rate_limit_error', title: 'Too many requests.' },
  too_many_in_flight: { status: 429, type: 'rate_limit_error', title: 'Too many requests at once.' },
  insufficient_quota: { status: 429, type: 'insufficient_quota', title: 'The balance does not cover this call.' },
  cap_reached: { status: 429, type: 'insufficient_quota', title: 'A spending cap has been reached.' },
  // What can be served
  model_not_found: { status: 404, type: 'invalid_request_error', title: 'The model does not exist, or no channel serves it.' },
  model_without_price: {
    status: 400,
    type: 'invalid_request_error',
    title: 'The model has no price, so it cannot be charged and is not served.',
  },
  no_channel: { status: 503, type: 'server_error', title: 'No channel can serve this model at the moment.' },
  upstream_failed: { status: 502, type: 'server_error', title: 'The upstream failed.' },
  upstream_refused: { status: 502, type: 'server_error', title: 'The upstream refused the call.' },
  upstream_timed_out: { status: 504, type: 'server_error', title: 'The upstream did not answer in time.' },
  upstream_garbled: { status: 502, type: 'server_error', title: 'The upstream sent something that is not an answer.' },
  upstream_rate_limited: { status: 429, type: 'rate_limit_error', title: 'Every channel for this model is at its upstream’s limit.' },
  bodies_full: { status: 503, type: 'server_error', title: 'There is no room for a request of this size at the moment; try again.' },
  // The ledger and the log
  log_unavailable: { status: 503, type: 'server_error', title: 'The ledger cannot record at the moment, so nothing is served.' },
  log_busy: { status: 503, type: 'server_error', title: 'The ledger is at its limit; try again.' },
  lease_lost: {
    status: 503,
    type: 'server_error',
    title: 'This process lost its hold on the account while the call ran; nothing was charged.',
  },
  starting: { status: 503, type: 'server_error', title: 'The server is starting; try again in a moment.' },
  shutting_down: { status: 503, type: 'server_error', title: 'The server is shutting down.' },
  idempotency_conflict: { status: 409, type: 'invalid_request_error', title: 'This Idempotency-Key was used for another request.' },
  idempotency_in_flight: { status: 409, type: 'invalid_request_error', title: 'A request with this Idempotency-Key is still running.' },
  idempotency_spent: {
    status: 409,
    type: 'invalid_request_error',
    title: 'A request with this Idempotency-Key is already done and its answer is no longer kept.',
  },
  // Commands
  already_exists: { status: 409, type: 'invalid_request_error', title: 'It exists already.' },
  conflict: { status: 409, type: 'invalid_request_error', title: 'Somebody else changed it meanwhile; look again.' },
  revision_mismatch: { status: 412, type: 'invalid_request_error', title: 'It has changed since you looked.' },
  wrong_state: { status: 409, type: 'invalid_request_error', title: 'That cannot be done in its present state.' },
  exceeds_charge: { status: 400, type: 'invalid_request_error', title: 'A refund cannot exceed the charge.' },
  exceeds_balance: { status: 400, type: 'invalid_request_error', title: 'The balance does not cover it.' },
  image_unavailable: { status: 400, type: 'invalid_request_error', title: 'An image could not be fetched.' },
  address_blocked: {
    status: 400,
    type: 'invalid_request_error',
    title: 'The address is in a private or reserved range and the operator does not allow it.',
  },
  weak_password: { status: 400, type: 'invalid_request_error', title: 'The password is too short or too common.' },
  read_model_behind: { status: 503, type: 'server_error', title: 'The read model has not caught up yet; try again.' },
  internal: { status: 500, type: 'server_error', title: 'An internal error. It has been logged under the request id.' },
} as const satisfies Record<string, { readonly status: number; readonly type: string; readonly title: string }>;

export type ErrorCode = keyof typeof errorTable;

/** Not a throw: an answer. `message` says what happened and what to do; `param` names the field at fault. */
export interface Refusal {
  readonly refused: ErrorCode;
  readonly message: string;
  readonly param?: string;
  readonly retryAfterSeconds?: number;
}

/** A refusal with the table's own sentence, or a more telling one. */
export const refuse = (
  code: ErrorCode,
  message: string = errorTable[code].title,
  more: Pick<Refusal, 'param' | 'retryAfterSeconds'> = {},
): Refusal => ({ refused: code, message, ...more });

export const isRefusal = (value: unknown): value is Refusal => typeof value === 'object' && value !== null && 'refused' in value;
