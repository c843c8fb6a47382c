import { chatRequestOf } from '../../../domain/dialects/responses/chat-request.ts';
import { promptOf } from '../../../domain/tokens/chat-text.ts';
import { isRefusal, type Refusal } from '../../../schemas/errors.ts';
import { ChatRequest } from '../../../schemas/openai/chat-request.ts';
import { ResponsesRequest } from '../../../schemas/responses/responses-request.ts';
import { firstIssue, readObject } from '../parse.ts';
import type { PromptToCount } from '../prompt-to-count.ts';
import type { RelayLimits } from '../relay-limits.ts';

const MEMBERS = [
  'model',
  'input',
  'stream',
  'store',
  'background',
  'previous_response_id',
  'conversation',
  'tools',
  'max_output_tokens',
] as const;

/** A body of the Responses API. */
export const readResponsesRequest = (body: Buffer, limits: RelayLimits): ResponsesRequest | Refusal => {
  const read = readObject(body, MEMBERS, limits);
  if ('refused' in read) return read;
  const request = ResponsesRequest.safeParse(read.value);
  return request.success ? request.data : firstIssue(request.error);
};

/** The prompt of a body of the count of input tokens, as a chat request. What only its own provider could count is not counted. */
export const responsesPromptToCount = (body: Buffer, limits: RelayLimits): PromptToCount | Refusal => {
  const request = readResponsesRequest(body, limits);
  if (isRefusal(request)) return request;
  const said = chatRequestOf(request, []);
  if (isRefusal(said)) return said;
  const chat = ChatRequest.safeParse(said.chat);
  if (!chat.success) return firstIssue(chat.error);
  const { model } = chat.data;
  return { model, prompt: promptOf(chat.data, model) };
};
