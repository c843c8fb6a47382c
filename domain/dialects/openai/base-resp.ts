/** What `base_resp` says of a call that came to nothing, as the status and the error that others would have sent. */
export interface BaseRespError {
  readonly status: number;
  readonly message: string;
  readonly code: string;
}

/** MiniMax's codes, by the status that means the same. What is not among them is an error of the provider's. */
const STATUS: ReadonlyMap<number, number> = new Map([
  [1001, 504],
  [1002, 429],
  [1004, 401],
  [1008, 402],
  [1026, 400],
  [1027, 400],
  [1039, 429],
  [2013, 400],
  [2049, 401],
]);

const SENSITIVE: ReadonlySet<number> = new Set([1026, 1027]);

/** `null` where all is well, and where there is no such member. */
export const baseRespError = (answer: unknown): BaseRespError | null => {
  const said = typeof answer === 'object' && answer !== null ? (answer as { readonly base_resp?: unknown }).base_resp : undefined;
  if (typeof said !== 'object' || said === null) return null;
  const { status_code: code, status_msg: message } = said as { readonly status_code?: unknown; readonly status_msg?: unknown };
  if (typeof code !== 'number' || code === 0) return null;
  return {
    status: STATUS.get(code) ?? 500,
    message: typeof message === 'string' && message !== '' ? message : `error ${code}`,
    code: SENSITIVE.has(code) ? 'content_filter' : String(code),
  };
};
