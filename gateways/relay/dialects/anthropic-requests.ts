import { chatRequestOf } from '../../../domain/dialects/anthropic/chat-request.ts';
import { boundMessages } from '../../../domain/tokens/native-bound.ts';
import { promptOfMessages } from '../../../domain/tokens/native-text.ts';
import { AnyMessagesRequest, CountTokensRequest, MessagesRequest } from '../../../schemas/anthropic/messages-request.ts';
import { refuse, type Refusal } from '../../../schemas/errors.ts';
import { elidedFrom } from '../bodies/elision.ts';
import type { PromptToCount } from '../prompt-to-count.ts';
import { firstIssue, readObject } from '../parse.ts';
import { parsedNatively } from '../native/native-chat.ts';
import type { NativeRequest } from '../native/native-request.ts';
import type { ParseNative } from '../spending-route.ts';
import type { RelayLimits } from '../relay-limits.ts';

/** A request of Anthropic's Messages as one of OpenAI's chat completions. */
const inHubForm = (value: unknown, extras: boolean): ReturnType<typeof chatRequestOf> => {
  const request = MessagesRequest.safeParse(value);
  return request.success ? chatRequestOf(request.data, extras) : firstIssue(request.error);
};

/** What Anthropic bills at another price than the list's. */
const unpriced = ({ speed, inference_geo: place }: AnyMessagesRequest): Refusal | null => {
  const param = speed === 'fast' ? 'speed' : (place ?? 'global') === 'global' ? null : 'inference_geo';
  return param === null ? null : refuse('invalid_request', `${param}: this has no price here; leave it out.`, { param });
};

/** A body of Anthropic's Messages. Only what decides about routing and money is looked at as long as it stays what it is. */
export const parseMessages: ParseNative = (body, limits) => {
  const read = readObject(body, ['model', 'messages', 'max_tokens', 'stream', 'system', 'tools'], limits);
  if ('refused' in read) return read;
  const parsed = AnyMessagesRequest.safeParse(read.value);
  if (!parsed.success) return firstIssue(parsed.error);
  const value = parsed.data;
  const native: NativeRequest = {
    dialect: 'anthropic',
    body,
    value,
    model: value.model,
    modelAt: read.spans[0] ?? null,
    streamed: value.stream === true,
    maxTokens: value.max_tokens,
    choices: 1,
    answers: { audio: false, image: false },
    bound: (contextTokens) => boundMessages(value, value.model, body.length, contextTokens, elidedFrom(body)),
    prompt: (name) => promptOfMessages(value, name, elidedFrom(body)),
    inHubForm: (extras) => inHubForm(value, extras),
  };
  return unpriced(value) ?? parsedNatively(native);
};

/** The prompt of a body of Anthropic's token count. */
export const promptToCount = (body: Buffer, limits: RelayLimits): PromptToCount | Refusal => {
  const read = readObject(body, ['model', 'messages', 'system', 'tools'], limits);
  if ('refused' in read) return read;
  const request = CountTokensRequest.safeParse(read.value);
  if (!request.success) return firstIssue(request.error);
  const { model } = request.data;
  return { model, prompt: promptOfMessages(request.data, model) };
};
