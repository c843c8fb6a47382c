import type { Usage } from '../../schemas/usage.ts';

/** One finished request: the line of the access log. Holds no key, no address of a person, and nothing of what was said. */
export interface RequestLine {
  readonly requestId: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly method: string;
  /** The route, not the address as sent: `/v1/models/{id}`. */
  readonly route: string;
  readonly status: number;
  readonly durationMs: number;
  readonly errorCode?: string;
  readonly userId?: string;
  readonly tokenId?: string;
  readonly model?: string;
  readonly upstreamModel?: string;
  readonly channelId?: string;
  readonly streamed?: boolean;
  readonly attempts?: number;
  readonly firstByteMs?: number | null;
  readonly usage?: Usage;
  readonly basis?: string;
  /** Dollars, as a decimal string. */
  readonly cost?: string;
  /** The client left before its answer was complete. */
  readonly clientLeft?: boolean;
  /** Answered from what was kept for the same `Idempotency-Key`. */
  readonly replayed?: boolean;
  /** What went wrong in detail, for the operator only. */
  readonly detail?: string;
}

/** One call per request, never per chunk; returns at once. */
export interface RequestLogger {
  log(line: RequestLine): void;
}
