import { promptInChatForm } from '../../../domain/dialects/anthropic/chat-request.ts';
import { chatFromCohere, embeddingsFromCohere } from '../../../domain/dialects/cohere/chat-request.ts';
import { promptFromConverse, samplingFromConverse } from '../../../domain/dialects/converse/messages-request.ts';
import { chatFromMistral, embeddingsFromMistral } from '../../../domain/dialects/mistral/chat-request.ts';
import { chatFromOllama, chatFromPrompt, embeddingsFromOllama } from '../../../domain/dialects/ollama/chat-request.ts';
import { outputLimitField } from '../../../domain/relay/output-limit-field.ts';
import { CountTokensRequest } from '../../../schemas/anthropic/messages-request.ts';
import { isRefusal } from '../../../schemas/errors.ts';
import { firstIssue } from '../parse.ts';
import type { HubBody } from '../spending-route.ts';
import { rewrittenBody } from './rewritten-body.ts';

const CHAT = ['model', 'messages', 'stream', 'tools', 'max_tokens'] as const;

/** Bodies of Mistral’s. */
export const mistralChatBody: HubBody = rewrittenBody(CHAT, chatFromMistral);
export const mistralEmbeddingsBody: HubBody = rewrittenBody(['model', 'input', 'inputs'], embeddingsFromMistral);

/** Bodies of Cohere’s. */
export const cohereChatBody: HubBody = rewrittenBody(CHAT, chatFromCohere);
export const cohereEmbeddingsBody: HubBody = rewrittenBody(['model', 'texts', 'inputs', 'images'], embeddingsFromCohere);

/** Bodies of Ollama’s. */
export const ollamaChatBody: HubBody = rewrittenBody([...CHAT, 'options'], chatFromOllama);
export const ollamaPromptBody: HubBody = rewrittenBody(['model', 'prompt', 'stream', 'options'], chatFromPrompt);
export const ollamaEmbeddingsBody: HubBody = rewrittenBody(['model', 'input'], embeddingsFromOllama);

/** A body of Bedrock’s Converse; the model and whether to stream stand in its address. */
export const converseBodyFor = (model: string, streamed: boolean): HubBody =>
  rewrittenBody(['messages', 'system', 'inferenceConfig', 'toolConfig'], (value) => {
    const said = promptFromConverse(model, value);
    if (isRefusal(said)) return said;
    const request = CountTokensRequest.safeParse(said);
    if (!request.success) return firstIssue(request.error);
    const prompt = promptInChatForm(request.data);
    if (isRefusal(prompt)) return prompt;
    const { sampling, maxTokens } = samplingFromConverse(value);
    return {
      ...prompt,
      ...sampling,
      ...(maxTokens === undefined || maxTokens === null ? {} : { [outputLimitField(model)]: maxTokens }),
      ...(streamed ? { stream: true, stream_options: { include_usage: true } } : {}),
    };
  });
