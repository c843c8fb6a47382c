import { chatRequestOf } from '../../../domain/dialects/gemini/chat-request.ts';
import { inCamelCase } from '../../../domain/dialects/gemini/member-names.ts';
import { isRecord } from '../../../domain/dialects/loose-json.ts';
import { boundContents } from '../../../domain/tokens/native-bound.ts';
import { promptOfContents } from '../../../domain/tokens/native-text.ts';
import { isRefusal, refuse, type Refusal } from '../../../schemas/errors.ts';
import { AnyGenerateRequest, GenerateContentRequest, PromptContent } from '../../../schemas/gemini/generate-content-request.ts';
import { BatchEmbedContentsRequest, EmbedContentRequest } from '../../../schemas/gemini/embed-content-request.ts';
import { embeddingsRequestOf } from '../../../domain/dialects/gemini/embeddings.ts';
import { elidedFrom } from '../bodies/elision.ts';
import { parsedNatively } from '../native/native-chat.ts';
import type { NativeRequest } from '../native/native-request.ts';
import { firstIssue, readObject } from '../parse.ts';
import type { PromptToCount } from '../prompt-to-count.ts';
import type { RelayLimits } from '../relay-limits.ts';
import type { HubBody, ParseNative } from '../spending-route.ts';

/** A request of Gemini's as one of chat completions. */
const inHubForm = (model: string, value: unknown, streamed: boolean): ReturnType<typeof chatRequestOf> => {
  const request = GenerateContentRequest.safeParse(value);
  return request.success ? chatRequestOf(model, request.data, streamed) : firstIssue(request.error);
};

/**
 * A body of Gemini's; the model and whether to stream stand in its address. Only what decides about routing and money is looked at as long
 * as it stays what it is.
 */
export const parseContentsFor =
  (model: string, streamed: boolean): ParseNative =>
  (body, limits) => {
    const read = readObject(body, ['contents'], limits);
    if ('refused' in read) return read;
    const parsed = AnyGenerateRequest.safeParse(inCamelCase(read.value));
    if (!parsed.success) return firstIssue(parsed.error);
    const value = parsed.data;
    if (value.serviceTier === 'priority')
      return refuse('invalid_request', 'serviceTier: "priority" has no price here; leave it out.', { param: 'serviceTier' });
    const { maxOutputTokens, candidateCount, responseModalities = [] } = value.generationConfig ?? {};
    const answersIn = (modality: string): boolean => (responseModalities ?? []).some((one) => one.toUpperCase() === modality);
    const native: NativeRequest = {
      dialect: 'gemini',
      body,
      value,
      model,
      modelAt: null,
      streamed,
      maxTokens: maxOutputTokens ?? null,
      choices: candidateCount ?? 1,
      answers: { audio: answersIn('AUDIO'), image: answersIn('IMAGE') },
      bound: (contextTokens) => boundContents(value, model, body.length, contextTokens, elidedFrom(body)),
      prompt: (name) => promptOfContents(value, name, elidedFrom(body)),
      inHubForm: () => inHubForm(model, value, streamed),
    };
    return parsedNatively(native);
  };

/** The prompt of a body of Gemini's token count, which has it as it is or within the request that it is to be part of. */
export const promptToCountFor = (model: string, body: Buffer, limits: RelayLimits): PromptToCount | Refusal => {
  const read = readObject(body, ['contents', 'generateContentRequest'], limits);
  if ('refused' in read) return read;
  const value = inCamelCase(read.value);
  const inner = isRecord(value) && value['contents'] === undefined ? value['generateContentRequest'] : value;
  const request = PromptContent.safeParse(inner);
  if (!request.success) return firstIssue(request.error);
  return { model, prompt: promptOfContents(request.data, model) };
};

const embeddingsBody = (model: string, requests: readonly EmbedContentRequest[], batched: boolean): Buffer | Refusal => {
  const body = embeddingsRequestOf(model, requests, batched);
  return isRefusal(body) ? body : Buffer.from(JSON.stringify(body));
};

/** What a content to embed comes to as a body of embeddings. */
export const embeddingBodyFor =
  (model: string): HubBody =>
  (body, limits) => {
    const read = readObject(body, ['content', 'model'], limits);
    if ('refused' in read) return read;
    const request = EmbedContentRequest.safeParse(inCamelCase(read.value));
    return request.success ? embeddingsBody(model, [request.data], false) : firstIssue(request.error);
  };

/** The same for many at once. */
export const embeddingsBodyFor =
  (model: string): HubBody =>
  (body, limits) => {
    const read = readObject(body, ['requests'], limits);
    if ('refused' in read) return read;
    const batch = BatchEmbedContentsRequest.safeParse(inCamelCase(read.value));
    return batch.success ? embeddingsBody(model, batch.data.requests, true) : firstIssue(batch.error);
  };
