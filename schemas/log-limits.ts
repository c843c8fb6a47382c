/** Limits that every event log keeps, so that what one adapter takes another takes too. Bytes are of the UTF-8 JSON of `data`. */
export const LOG_LIMITS = { eventBytes: 1_048_576, appendBytes: 4_194_304, appendEvents: 1_000 } as const;
