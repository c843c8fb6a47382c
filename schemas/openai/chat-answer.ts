import { z } from 'zod';

const Text = z.string().nullish().catch(null);

const FunctionCall = z.looseObject({ name: Text, arguments: Text }).nullish().catch(null);

const ToolCall = z.looseObject({ function: FunctionCall, custom: z.looseObject({ name: Text, input: Text }).nullish().catch(null) });

/** What a model wrote, whole (`message`) or in part (`delta`): everything here was paid for as output. */
export const Produced = z.looseObject({
  content: z.unknown().optional(),
  refusal: Text,
  /** Where DeepSeek, Moonshot, vLLM and others put reasoning. */
  reasoning_content: Text,
  reasoning: Text,
  tool_calls: z.array(ToolCall).nullish().catch(null),
  function_call: FunctionCall,
});
export type Produced = z.infer<typeof Produced>;

export const Choice = z.looseObject({
  message: Produced.nullish().catch(null),
  delta: Produced.nullish().catch(null),
  index: z.number().catch(0),
  /** What a completion that is no chat says. */
  text: Text,
  finish_reason: Text,
});

export type Choice = z.infer<typeof Choice>;

/** An answer or a chunk of one, read only where nobody said how many tokens it took. */
export const ChatAnswer = z.looseObject({ choices: z.array(Choice).nullish().catch(null) });
export type ChatAnswer = z.infer<typeof ChatAnswer>;
