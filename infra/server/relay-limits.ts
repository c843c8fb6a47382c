import { DEFAULT_RELAY_LIMITS, type RelayLimits } from '../../gateways/relay/relay-limits.ts';
import type { Config } from '../../schemas/config.ts';

/** The relay's bounds, with what the configuration says of them. */
export const relayLimits = (config: Config): RelayLimits => ({
  ...DEFAULT_RELAY_LIMITS,
  perKey: { requestsPerMinute: config.OBLIVIOUS_REQUESTS_PER_MINUTE, inFlight: config.OBLIVIOUS_KEY_CONCURRENCY },
  // Two keys' worth: a user with one key meets the key's limit, and a dozen keys do not get a dozen times as much.
  perUser: { requestsPerMinute: 2 * config.OBLIVIOUS_REQUESTS_PER_MINUTE, inFlight: config.OBLIVIOUS_USER_CONCURRENCY },
  bodyBytes: config.OBLIVIOUS_MAX_BODY_BYTES,
  uploadBytes: config.OBLIVIOUS_MAX_UPLOAD_BYTES,
  keptFileBytes: config.OBLIVIOUS_KEPT_FILE_BYTES,
  keptBytes: config.OBLIVIOUS_KEPT_BYTES,
  bodyRoom: {
    memoryBytes: config.OBLIVIOUS_BODY_MEMORY_BYTES,
    diskBytes: config.OBLIVIOUS_BODY_DISK_BYTES,
    diskFromBytes: config.OBLIVIOUS_BODY_DISK_FROM_BYTES,
  },
  answerMs: config.OBLIVIOUS_ANSWER_SECONDS * 1_000,
  firstEventMs: config.OBLIVIOUS_FIRST_EVENT_SECONDS * 1_000,
  silenceMs: config.OBLIVIOUS_SILENCE_SECONDS * 1_000,
  streamMs: config.OBLIVIOUS_STREAM_SECONDS * 1_000,
  realtime: {
    ...DEFAULT_RELAY_LIMITS.realtime,
    sessionMs: config.OBLIVIOUS_REALTIME_SESSION_SECONDS * 1_000,
    idleMs: config.OBLIVIOUS_REALTIME_IDLE_SECONDS * 1_000,
    frameBytes: config.OBLIVIOUS_REALTIME_FRAME_BYTES,
  },
  heartbeatMs: config.OBLIVIOUS_HEARTBEAT_SECONDS * 1_000,
});
