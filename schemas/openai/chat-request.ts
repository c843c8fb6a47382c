import { z } from 'zod';

/** Largest `max_tokens` that any model could mean; beyond it a number is a mistake or an attack on the arithmetic. */
export const LARGEST_OUTPUT_LIMIT = 10_000_000;

const OutputLimit = z.int().positive().max(LARGEST_OUTPUT_LIMIT).nullish();

/** The fields of `POST /v1/chat/completions` that decide who serves a call and what it may cost. All others pass through unread. */
export const ChatRequest = z.looseObject({
  model: z.string().min(1).max(200),
  /** What a message holds is the upstream's business; whoever counts its tokens takes it as it comes. */
  messages: z.array(z.unknown()).min(1),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  max_tokens: OutputLimit,
  max_completion_tokens: OutputLimit,
  n: z.int().min(1).max(128).nullish(),
  modalities: z.array(z.string().max(32)).max(16).nullish(),
  service_tier: z.string().max(32).nullish(),
});
export type ChatRequest = z.infer<typeof ChatRequest>;

const isOutputLimit = (value: unknown): boolean =>
  value === undefined || (typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= LARGEST_OUTPUT_LIMIT);

/**
 * Whether something that JSON said is a {@link ChatRequest} beyond doubt, for it has none but the simplest of the fields: what nearly all requests
 * are. The schema makes a copy of what it checks, on the way of every call; whatever this does not know is for the schema to judge.
 */
export const isPlainChat = (value: unknown): value is ChatRequest => {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || Object.hasOwn(value, '__proto__')) return false;
  const { model, messages, stream, stream_options, max_tokens, max_completion_tokens, n, modalities, service_tier } = value as Readonly<
    Record<string, unknown>
  >;
  return (
    typeof model === 'string' &&
    model.length > 0 &&
    model.length <= 200 &&
    Array.isArray(messages) &&
    messages.length > 0 &&
    (stream === undefined || typeof stream === 'boolean') &&
    isOutputLimit(max_tokens) &&
    isOutputLimit(max_completion_tokens) &&
    stream_options === undefined &&
    n === undefined &&
    modalities === undefined &&
    service_tier === undefined
  );
};
