import { z } from 'zod';
import { ChatRequest } from './chat-request.ts';

const Tool = z.looseObject({
  type: z.string(),
  function: z.looseObject({ name: z.string(), parameters: z.unknown().optional() }).optional(),
});

/** What the simulated provider reads of a chat request, beyond what the relay does. */
export const SandboxChatRequest = ChatRequest.extend({
  messages: z.array(z.looseObject({ role: z.string().min(1), content: z.unknown().optional() })).min(1),
  tools: z.array(Tool).nullish(),
  tool_choice: z.unknown().optional(),
  parallel_tool_calls: z.boolean().nullish(),
  stop: z.union([z.string(), z.array(z.string()).max(16)]).nullish(),
  response_format: z.looseObject({ type: z.string(), json_schema: z.looseObject({ schema: z.unknown().optional() }).optional() }).nullish(),
  /** How fast to answer; the one field that no real provider knows. */
  sandbox: z
    .object({ tokens_per_second: z.number().positive().max(100_000).optional(), first_token_ms: z.number().min(0).max(600_000).optional() })
    .nullish(),
});
export type SandboxChatRequest = z.infer<typeof SandboxChatRequest>;
