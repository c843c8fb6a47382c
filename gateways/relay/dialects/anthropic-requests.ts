import { chatRequestOf, promptInChatForm } from '../../../domain/dialects/anthropic/chat-request.ts';
import { CountTokensRequest, MessagesRequest } from '../../../schemas/anthropic/messages-request.ts';
import { isRefusal, type Refusal } from '../../../schemas/errors.ts';
import { ChatRequest } from '../../../schemas/openai/chat-request.ts';
import { firstIssue, readObject } from '../parse.ts';
import type { RelayLimits } from '../relay-limits.ts';

/** A body of Anthropic's Messages as one of OpenAI's chat completions. */
export const chatBodyOf = (body: Buffer, limits: RelayLimits): Buffer | Refusal => {
  const read = readObject(body, ['model', 'messages', 'max_tokens', 'stream', 'system', 'tools'], limits);
  if ('refused' in read) return read;
  const request = MessagesRequest.safeParse(read.value);
  if (!request.success) return firstIssue(request.error);
  const chat = chatRequestOf(request.data);
  return isRefusal(chat) ? chat : Buffer.from(JSON.stringify(chat));
};

/** The prompt of a body of Anthropic's token count, as a chat request. */
export const promptToCount = (body: Buffer, limits: RelayLimits): ChatRequest | Refusal => {
  const read = readObject(body, ['model', 'messages', 'system', 'tools'], limits);
  if ('refused' in read) return read;
  const request = CountTokensRequest.safeParse(read.value);
  if (!request.success) return firstIssue(request.error);
  const prompt = promptInChatForm(request.data);
  if (isRefusal(prompt)) return prompt;
  const chat = ChatRequest.safeParse(prompt);
  return chat.success ? chat.data : firstIssue(chat.error);
};
