import type { BackoffPolicy } from '../../domain/relay/backoff.ts';
import type { BreakerPolicy } from '../../domain/relay/breaker.ts';
import type { ErrorRatePolicy } from '../../domain/relay/error-rate.ts';
import type { RetryBudgetPolicy } from '../../domain/relay/retry-budget.ts';
import type { BodyRoomLimits } from './bodies/body-room.ts';
import type { PictureLimits } from './pictures/remote-pictures.ts';

/** How much of anything one caller may have. `null` is no limit. */
export interface CallerLimits {
  readonly requestsPerMinute: number | null;
  readonly inFlight: number | null;
}

/** Bounds of a realtime session. */
export interface RealtimeLimits {
  /** Until the upstream's socket is open. */
  readonly openMs: number;
  /** For a session in all; a response that runs is waited for. */
  readonly sessionMs: number;
  /** Without a frame either way. */
  readonly idleMs: number;
  /** After this long without a word a side is asked whether it is there, and cut off after twice as long. */
  readonly pingMs: number;
  /** One message. */
  readonly frameBytes: number;
  /** What one side has not read before the other is made to wait. */
  readonly unsentBytes: number;
}

/** Every bound of the relay. Times in milliseconds, sizes in bytes. */
export interface RelayLimits {
  readonly perKey: CallerLimits;
  readonly perUser: CallerLimits;
  /** A request's body. */
  readonly bodyBytes: number;
  /** What the bodies of all calls of a process may take together. */
  readonly bodyRoom: BodyRoomLimits;
  /** A form that is passed on while it comes. */
  readonly uploadBytes: number;
  /** Largest file that is kept here, in bytes, and what the files of one user may have together. */
  readonly keptFileBytes: number;
  readonly keptBytes: number;
  readonly jsonDepth: number;
  readonly jsonMembers: number;
  /** A plain answer, which is held whole. */
  readonly answerBytes: number;
  /** From this size on a plain answer is packed for clients that take that: below it packing costs more than it saves. */
  readonly packedBytes: number;
  /** One event of a stream. */
  readonly eventBytes: number;
  /** What of a stream is held for counting, should the upstream not say what it took. */
  readonly uncountedBytes: number;
  /** Until a plain answer is whole. */
  readonly answerMs: number;
  /** Until a stream's first event; another channel may be tried after it. */
  readonly firstEventMs: number;
  /** Between two reads of a stream. */
  readonly silenceMs: number;
  /** For a stream as a whole. */
  readonly streamMs: number;
  /** How long a client may leave a stream unread. */
  readonly unreadMs: number;
  /** After this long without a byte a stream gets a comment, so that nobody on the way takes it for dead. */
  readonly heartbeatMs: number;
  /** How long an upstream may linger behind its last event before its connection is cut. */
  readonly lingerMs: number;
  /** How often the time limits above are looked at. */
  readonly watchMs: number;
  readonly attempts: number;
  /** No attempt begins later than this after the call did. */
  readonly attemptsMs: number;
  readonly backoff: BackoffPolicy;
  readonly retryBudget: RetryBudgetPolicy;
  readonly breaker: BreakerPolicy;
  /** Opens a channel's breaker between successes. */
  readonly errorRate: ErrorRatePolicy;
  /** How long a key rests that was rate limited without a word on how long; twice as long each time in a row. */
  readonly keyRestMs: number;
  readonly longestKeyRestMs: number;
  /** How long a key rests that was refused or has no money: until somebody has had time to act. */
  readonly refusedKeyRestMs: number;
  readonly realtime: RealtimeLimits;
  /** Pictures that are fetched from the addresses that a call names. */
  readonly pictures: PictureLimits;
  /** Finished answers kept for their `Idempotency-Key`. */
  readonly kept: { readonly bytes: number; readonly answerBytes: number; readonly answers: number; readonly ms: number };
}

export const DEFAULT_RELAY_LIMITS: RelayLimits = {
  perKey: { requestsPerMinute: 60_000, inFlight: 2_000 },
  perUser: { requestsPerMinute: 120_000, inFlight: 4_000 },
  bodyBytes: 64 * 1024 * 1024,
  bodyRoom: { memoryBytes: 512 * 1024 * 1024, diskBytes: 8 * 1024 * 1024 * 1024, diskFromBytes: 8 * 1024 * 1024 },
  uploadBytes: 128 * 1024 * 1024,
  keptFileBytes: 16 * 1024 * 1024,
  keptBytes: 1024 * 1024 * 1024,
  jsonDepth: 128,
  jsonMembers: 256,
  answerBytes: 128 * 1024 * 1024,
  packedBytes: 32 * 1024,
  eventBytes: 16 * 1024 * 1024,
  uncountedBytes: 64 * 1024,
  answerMs: 600_000,
  firstEventMs: 300_000,
  silenceMs: 300_000,
  streamMs: 3_600_000,
  unreadMs: 30_000,
  heartbeatMs: 15_000,
  lingerMs: 2_000,
  watchMs: 250,
  attempts: 4,
  attemptsMs: 30_000,
  backoff: { base: 100, most: 2_000 },
  retryBudget: { share: 0.2, mostSaved: 50 },
  breaker: { failures: 5, rest: 10_000, longestRest: 300_000 },
  errorRate: { windowMs: 60_000, calls: 20, share: 0.5 },
  keyRestMs: 1_000,
  longestKeyRestMs: 60_000,
  refusedKeyRestMs: 600_000,
  realtime: {
    openMs: 15_000,
    sessionMs: 3_600_000,
    idleMs: 900_000,
    pingMs: 20_000,
    frameBytes: 16 * 1024 * 1024,
    unsentBytes: 1024 * 1024,
  },
  pictures: { bytesEach: 20 * 1024 * 1024, bytesTogether: 32 * 1024 * 1024, count: 16, atOnce: 4 },
  kept: { bytes: 64 * 1024 * 1024, answerBytes: 1024 * 1024, answers: 10_000, ms: 3_600_000 },
};
