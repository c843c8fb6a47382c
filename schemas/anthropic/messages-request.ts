import { z } from 'zod';
import { LARGEST_OUTPUT_LIMIT } from '../openai/chat-request.ts';

/** Text that stands by itself, or in a block with hints for a cache. */
const TextBlock = z.looseObject({ type: z.literal('text'), text: z.string() });

const ImageSource = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('base64'), media_type: z.string().max(100), data: z.string() }),
  z.looseObject({ type: z.literal('url'), url: z.string() }),
  z.looseObject({ type: z.literal('file'), file_id: z.string() }),
]);
const ImageBlock = z.looseObject({ type: z.literal('image'), source: ImageSource });

const DocumentSource = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('base64'), media_type: z.string().max(100), data: z.string() }),
  z.looseObject({ type: z.literal('text'), media_type: z.string().max(100), data: z.string() }),
  z.looseObject({ type: z.literal('content'), content: z.union([z.string(), z.array(z.union([TextBlock, ImageBlock]))]) }),
  z.looseObject({ type: z.literal('url'), url: z.string() }),
  z.looseObject({ type: z.literal('file'), file_id: z.string() }),
]);
const DocumentBlock = z.looseObject({ type: z.literal('document'), source: DocumentSource, title: z.string().nullish() });

const SearchResultBlock = z.looseObject({
  type: z.literal('search_result'),
  source: z.string(),
  title: z.string(),
  content: z.array(TextBlock),
});

const ToolResultBlock = z.looseObject({
  type: z.literal('tool_result'),
  tool_use_id: z.string().min(1).max(200),
  content: z
    .union([z.string(), z.array(z.discriminatedUnion('type', [TextBlock, ImageBlock, DocumentBlock, SearchResultBlock]))])
    .optional(),
  is_error: z.boolean().nullish(),
});

const ToolUseBlock = z.looseObject({
  type: z.literal('tool_use'),
  id: z.string().min(1).max(200),
  name: z.string().min(1).max(200),
  input: z.record(z.string(), z.unknown()),
});

const known = [
  TextBlock,
  ImageBlock,
  DocumentBlock,
  SearchResultBlock,
  ToolResultBlock,
  ToolUseBlock,
  z.looseObject({ type: z.literal('thinking'), thinking: z.string() }),
  z.looseObject({ type: z.literal('redacted_thinking') }),
] as const;
const KNOWN_TYPES: ReadonlySet<string> = new Set(known.map(({ shape }) => shape.type.value));

/** What only Anthropic's own servers made or can read. */
const OtherBlock = z.looseObject({
  type: z
    .string()
    .max(100)
    .refine((type) => !KNOWN_TYPES.has(type), 'is not complete'),
});

export const ContentBlock = z.union([z.discriminatedUnion('type', known), OtherBlock]);
export type ContentBlock = z.infer<typeof ContentBlock>;
export type KnownContentBlock = z.infer<(typeof known)[number]>;
export type ToolResult = z.infer<typeof ToolResultBlock>;
export type Image = z.infer<typeof ImageBlock>;
export type Document = z.infer<typeof DocumentBlock>;

export const isKnownBlock = (block: ContentBlock): block is KnownContentBlock => KNOWN_TYPES.has(block.type);

const Message = z.looseObject({
  role: z.enum(['user', 'assistant', 'system']),
  content: z.union([z.string(), z.array(ContentBlock)]),
});

const Tool = z.looseObject({
  type: z.string().max(100).nullish(),
  name: z.string().min(1).max(200),
  description: z.string().optional(),
  input_schema: z.record(z.string(), z.unknown()).optional(),
  strict: z.boolean().nullish(),
});

const ToolChoice = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('auto'), disable_parallel_tool_use: z.boolean().nullish() }),
  z.looseObject({ type: z.literal('any'), disable_parallel_tool_use: z.boolean().nullish() }),
  z.looseObject({ type: z.literal('tool'), name: z.string().min(1).max(200), disable_parallel_tool_use: z.boolean().nullish() }),
  z.looseObject({ type: z.literal('none') }),
]);

const prompt = {
  model: z.string().min(1).max(200),
  messages: z.array(Message).min(1).max(100_000),
  system: z.union([z.string(), z.array(TextBlock)]).nullish(),
  tools: z.array(Tool).max(1_000).nullish(),
  tool_choice: ToolChoice.nullish(),
  thinking: z.looseObject({ type: z.string().max(32), budget_tokens: z.int().nonnegative().nullish() }).nullish(),
  output_config: z
    .looseObject({
      effort: z.string().max(32).nullish(),
      format: z.looseObject({ type: z.literal('json_schema'), schema: z.record(z.string(), z.unknown()) }).nullish(),
    })
    .nullish(),
} as const;

/** `POST /v1/messages/count_tokens` of Anthropic's format. */
export const CountTokensRequest = z.looseObject(prompt);
export type CountTokensRequest = z.infer<typeof CountTokensRequest>;

/** `POST /v1/messages` of Anthropic's format. */
export const MessagesRequest = z.looseObject({
  ...prompt,
  max_tokens: z.int().positive().max(LARGEST_OUTPUT_LIMIT),
  stream: z.boolean().nullish(),
  stop_sequences: z.array(z.string()).nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  top_k: z.number().nullish(),
  metadata: z.looseObject({ user_id: z.string().nullish() }).nullish(),
});
export type MessagesRequest = z.infer<typeof MessagesRequest>;

/** The fields of `POST /v1/messages` that decide who serves a call and what it may cost. All others pass through unread where the upstream speaks the format. */
export const AnyMessagesRequest = z.looseObject({
  model: z.string().min(1).max(200),
  messages: z.array(z.unknown()).min(1).max(100_000),
  /** Zero warms a cache and answers nothing. */
  max_tokens: z.int().nonnegative().max(LARGEST_OUTPUT_LIMIT),
  stream: z.boolean().nullish(),
  speed: z.string().max(32).nullish(),
  inference_geo: z.string().max(32).nullish(),
});
export type AnyMessagesRequest = z.infer<typeof AnyMessagesRequest>;
