import { chatRequestOf, promptInChatForm } from '../../../domain/dialects/gemini/chat-request.ts';
import { inCamelCase } from '../../../domain/dialects/gemini/member-names.ts';
import { isRecord } from '../../../domain/dialects/loose-json.ts';
import { isRefusal, type Refusal } from '../../../schemas/errors.ts';
import { GenerateContentRequest, PromptContent } from '../../../schemas/gemini/generate-content-request.ts';
import { ChatRequest } from '../../../schemas/openai/chat-request.ts';
import { firstIssue, readObject } from '../parse.ts';
import type { RelayLimits } from '../relay-limits.ts';
import type { HubBody } from '../spending-route.ts';

/** What a body of Gemini's comes to; the model and whether to stream stand in its address. */
export const chatBodyFor =
  (model: string, streamed: boolean): HubBody =>
  (body, limits) => {
    const read = readObject(body, ['contents'], limits);
    if ('refused' in read) return read;
    const request = GenerateContentRequest.safeParse(inCamelCase(read.value));
    if (!request.success) return firstIssue(request.error);
    const chat = chatRequestOf(model, request.data, streamed);
    return isRefusal(chat) ? chat : Buffer.from(JSON.stringify(chat));
  };

/** The prompt of a body of Gemini's token count, which has it as it is or within the request that it is to be part of. */
export const promptToCountFor = (model: string, body: Buffer, limits: RelayLimits): ChatRequest | Refusal => {
  const read = readObject(body, ['contents', 'generateContentRequest'], limits);
  if ('refused' in read) return read;
  const value = inCamelCase(read.value);
  const inner = isRecord(value) && value['contents'] === undefined ? value['generateContentRequest'] : value;
  const request = PromptContent.safeParse(inner);
  if (!request.success) return firstIssue(request.error);
  const prompt = promptInChatForm(model, request.data);
  if (isRefusal(prompt)) return prompt;
  const chat = ChatRequest.safeParse(prompt);
  return chat.success ? chat.data : firstIssue(chat.error);
};
