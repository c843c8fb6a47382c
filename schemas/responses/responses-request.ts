import { z } from 'zod';
import { LARGEST_OUTPUT_LIMIT } from '../openai/chat-request.ts';

const Tool = z.looseObject({
  type: z.string().min(1).max(100),
  name: z.string().min(1).max(200).nullish(),
  description: z.string().nullish(),
  parameters: z.record(z.string(), z.unknown()).nullish(),
  strict: z.boolean().nullish(),
  format: z.looseObject({ type: z.string().max(32), definition: z.string().nullish(), syntax: z.string().max(32).nullish() }).nullish(),
});
export type Tool = z.infer<typeof Tool>;

const ToolChoice = z.union([
  z.enum(['none', 'auto', 'required']),
  z.looseObject({
    type: z.string().min(1).max(100),
    name: z.string().max(200).nullish(),
    mode: z.enum(['auto', 'required']).nullish(),
    tools: z.array(z.looseObject({ type: z.string().max(100), name: z.string().max(200).nullish() })).nullish(),
  }),
]);
export type ToolChoice = z.infer<typeof ToolChoice>;

const Format = z.looseObject({
  type: z.enum(['text', 'json_object', 'json_schema']),
  name: z.string().max(200).nullish(),
  description: z.string().nullish(),
  schema: z.record(z.string(), z.unknown()).nullish(),
  strict: z.boolean().nullish(),
});

/** OpenAI's bounds: sixteen pairs, keys of 64 characters, values of 512. */
export const Metadata = z
  .record(z.string().max(64), z.string().max(512))
  .refine((pairs) => Object.keys(pairs).length <= 16, 'has more than 16 pairs');

/** Ids of what is kept for a user are ours; a look-up of any other finds nothing. */
export const KeptId = z.string().min(1).max(200);

/** What of a request decides about what the model sees: the same for an answer and for a count of tokens. */
const prompt = {
  model: z.string().min(1).max(200),
  /** Items are read one by one, each by the schema of its type. */
  input: z.union([z.string(), z.array(z.looseObject({ type: z.string().max(100).nullish() })).max(100_000)]).nullish(),
  instructions: z.union([z.string(), z.array(z.looseObject({}))]).nullish(),
  tools: z.array(Tool).max(1_000).nullish(),
  tool_choice: ToolChoice.nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  text: z.looseObject({ format: Format.nullish(), verbosity: z.string().max(32).nullish() }).nullish(),
  reasoning: z.looseObject({ effort: z.string().max(32).nullish(), summary: z.string().max(32).nullish() }).nullish(),
  previous_response_id: KeptId.nullish(),
  conversation: z.union([KeptId, z.looseObject({ id: KeptId })]).nullish(),
} as const;

/** `POST /v1/responses` of OpenAI's format. */
export const ResponsesRequest = z.looseObject({
  ...prompt,
  stream: z.boolean().nullish(),
  store: z.boolean().nullish(),
  background: z.boolean().nullish(),
  max_output_tokens: z.int().positive().max(LARGEST_OUTPUT_LIMIT).nullish(),
  max_tool_calls: z.int().positive().nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  top_logprobs: z.int().min(0).max(20).nullish(),
  include: z.array(z.string().max(100)).max(32).nullish(),
  metadata: Metadata.nullish(),
  truncation: z.enum(['auto', 'disabled']).nullish(),
  service_tier: z.string().max(32).nullish(),
  user: z.string().nullish(),
  safety_identifier: z.string().nullish(),
  prompt_cache_key: z.string().nullish(),
  prompt_cache_retention: z.string().nullish(),
  prompt: z.unknown().optional(),
  moderation: z.unknown().optional(),
});
export type ResponsesRequest = z.infer<typeof ResponsesRequest>;
