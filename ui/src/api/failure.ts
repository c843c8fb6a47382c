import type { ErrorCode } from '../../../schemas/errors.ts';

/** `unreachable`: no answer came at all. `unreadable`: an answer came that is not ours, as from a proxy in between. */
export type FailureCode = ErrorCode | 'unreachable' | 'unreadable';

/** What a call that did not succeed rejects with. */
export class ApiFailure extends Error {
  override readonly name = 'ApiFailure';
  readonly code: FailureCode;
  /** 0 when there was no answer. */
  readonly status: number;
  readonly requestId: string | null;
  /** The field at fault, dotted: `restrictions.models.0`. */
  readonly param: string | null;
  readonly retryAfterSeconds: number | null;

  constructor(
    code: FailureCode,
    message: string,
    more: {
      readonly status?: number;
      readonly requestId?: string | null;
      readonly param?: string | null;
      readonly retryAfterSeconds?: number | null;
    } = {},
  ) {
    super(message);
    this.code = code;
    this.status = more.status ?? 0;
    this.requestId = more.requestId ?? null;
    this.param = more.param ?? null;
    this.retryAfterSeconds = more.retryAfterSeconds ?? null;
  }
}

export const isFailure = (error: unknown): error is ApiFailure => error instanceof ApiFailure;
