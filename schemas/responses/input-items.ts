import { z } from 'zod';

const Id = z.string().min(1).max(200);

const TextPart = z.looseObject({ type: z.enum(['input_text', 'output_text', 'text', 'summary_text', 'reasoning_text']), text: z.string() });
const RefusalPart = z.looseObject({ type: z.literal('refusal'), refusal: z.string() });
const ImagePart = z.looseObject({
  type: z.literal('input_image'),
  image_url: z.string().nullish(),
  file_id: z.string().nullish(),
  detail: z.string().max(32).nullish(),
});
const FilePart = z.looseObject({
  type: z.literal('input_file'),
  file_data: z.string().nullish(),
  file_id: z.string().nullish(),
  file_url: z.string().nullish(),
  filename: z.string().nullish(),
});
const AudioPart = z.looseObject({
  type: z.literal('input_audio'),
  input_audio: z.looseObject({ data: z.string(), format: z.string().max(32) }),
});

/** What a message or the outcome of a call can hold, by the type of the part. */
export const INPUT_PARTS = {
  input_text: TextPart,
  output_text: TextPart,
  text: TextPart,
  refusal: RefusalPart,
  input_image: ImagePart,
  input_file: FilePart,
  input_audio: AudioPart,
} as const;
export type InputPart = z.infer<(typeof INPUT_PARTS)[keyof typeof INPUT_PARTS]>;

/** Parts are looked at one by one: an upstream may know more of them than the form in the middle does. */
const Parts = z.array(z.looseObject({ type: z.string().max(100) }));
const Content = z.union([z.string(), Parts]);
export type Content = z.infer<typeof Content>;

const Message = z.looseObject({
  type: z.literal('message').optional(),
  role: z.enum(['user', 'assistant', 'system', 'developer']),
  content: Content,
});
const FunctionCall = z.looseObject({
  type: z.literal('function_call'),
  call_id: Id,
  name: Id,
  arguments: z.string(),
});
const CustomToolCall = z.looseObject({ type: z.literal('custom_tool_call'), call_id: Id, name: Id, input: z.string() });
const FunctionCallOutput = z.looseObject({ type: z.literal('function_call_output'), call_id: Id, output: Content });
const CustomToolCallOutput = z.looseObject({ type: z.literal('custom_tool_call_output'), call_id: Id, output: Content });
const ItemReference = z.looseObject({ type: z.literal('item_reference'), id: Id });
const Reasoning = z.looseObject({ type: z.literal('reasoning') });

/** What a conversation consists of, by the type of the item, as far as the form in the middle can say it. */
export const INPUT_ITEMS = {
  message: Message,
  function_call: FunctionCall,
  custom_tool_call: CustomToolCall,
  function_call_output: FunctionCallOutput,
  custom_tool_call_output: CustomToolCallOutput,
  item_reference: ItemReference,
  reasoning: Reasoning,
} as const;
export type MessageItem = Required<Pick<z.infer<typeof Message>, 'type' | 'role' | 'content'>>;
export type InputItem = MessageItem | z.infer<Exclude<(typeof INPUT_ITEMS)[keyof typeof INPUT_ITEMS], typeof Message>>;
