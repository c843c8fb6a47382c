/** The mock upstream behaves by the model it is asked for; the names are ones that a price list knows. */
export const INSTANT_MODEL = 'gpt-4o-mini';
/** Answers after {@link SLOW_ANSWER_MS}, so that 64 connections leave every gateway time to spare. */
export const SLOW_MODEL = 'gpt-4o';

export const SLOW_ANSWER_MS = 30;
/** Tokens of a plain answer. */
export const ANSWER_TOKENS = 16;
/** Tokens of a streamed answer, one chunk each. */
export const STREAM_CHUNKS = 100;
/** Between two chunks of a stream. */
export const CHUNK_INTERVAL_MS = 10;
