import type { Request } from 'express';
import { anthropicAnswers } from './dialects/anthropic-answers.ts';
import { parseMessages } from './dialects/anthropic-requests.ts';
import { cohereAnswers, cohereEmbeddings } from './dialects/cohere-answers.ts';
import { geminiAnswers, geminiArrayAnswers } from './dialects/gemini-answers.ts';
import { embeddingBodyFor, embeddingsBodyFor, parseContentsFor } from './dialects/gemini-requests.ts';
import { geminiEmbedding, geminiEmbeddings } from './dialects/gemini-embeddings.ts';
import { mistralAnswers } from './dialects/mistral-answers.ts';
import { ollamaAnswers, ollamaEmbeddings, ollamaGenerated } from './dialects/ollama-answers.ts';
import { openaiAnswers } from './dialects/openai-answers.ts';
import {
  cohereChatBody,
  cohereEmbeddingsBody,
  mistralChatBody,
  mistralEmbeddingsBody,
  ollamaChatBody,
  ollamaEmbeddingsBody,
  ollamaPromptBody,
} from './dialects/provider-requests.ts';
import { prepareResponse, type PrepareDeps } from './responses/prepare-response.ts';
import { rerankAnswers } from './dialects/rerank-answers.ts';
import type { RelayDeps } from './relay-deps.ts';
import type { SpendingRoute } from './spending-route.ts';
import { taskSpending } from './tasks/task-routes.ts';

const CHAT = '/v1/chat/completions';
export const MESSAGES = '/v1/messages';

const openai = (endpoint: SpendingRoute['endpoint'], name: string): SpendingRoute => ({
  endpoint,
  name,
  dialect: openaiAnswers,
  hubBody: null,
});

/** Every address that can spend and is one to the letter: `name` is what it is registered under. */
export const spendingAddresses = (deps: PrepareDeps & Pick<RelayDeps, 'tasks' | 'limits'>): readonly SpendingRoute[] => [
  openai('chat', CHAT),
  openai('completions', '/v1/completions'),
  openai('embeddings', '/v1/embeddings'),
  openai('moderations', '/v1/moderations'),
  openai('images', '/v1/images/generations'),
  openai('image_edits', '/v1/images/edits'),
  openai('image_variations', '/v1/images/variations'),
  openai('speech', '/v1/audio/speech'),
  openai('transcriptions', '/v1/audio/transcriptions'),
  openai('translations', '/v1/audio/translations'),
  { endpoint: 'rerank', name: '/v1/rerank', dialect: rerankAnswers, hubBody: null },
  { endpoint: 'rerank', name: '/v2/rerank', dialect: rerankAnswers, hubBody: null },
  { endpoint: 'chat', name: MESSAGES, dialect: anthropicAnswers, hubBody: null, parseNative: parseMessages },
  { endpoint: 'chat', name: '/v2/chat', dialect: cohereAnswers, hubBody: cohereChatBody },
  { endpoint: 'embeddings', name: '/v2/embed', dialect: cohereEmbeddings, hubBody: cohereEmbeddingsBody },
  { endpoint: 'chat', name: '/ollama/api/chat', dialect: ollamaAnswers, hubBody: ollamaChatBody },
  { endpoint: 'chat', name: '/ollama/api/generate', dialect: ollamaGenerated, hubBody: ollamaPromptBody },
  { endpoint: 'embeddings', name: '/ollama/api/embed', dialect: ollamaEmbeddings, hubBody: ollamaEmbeddingsBody },
  { endpoint: 'chat', name: '/mistral/v1/chat/completions', dialect: mistralAnswers, hubBody: mistralChatBody },
  { endpoint: 'embeddings', name: '/mistral/v1/embeddings', dialect: mistralAnswers, hubBody: mistralEmbeddingsBody },
  { ...openai('chat', '/v1/responses'), prepare: prepareResponse(deps) },
  ...taskSpending(deps),
];

const geminiAddress = (method: string): string => `/v1beta/models/{model}:${method}`;

const GENERATE = geminiAddress('generateContent');

/** What can be asked of a model by a method behind its name, as Gemini's addresses have it. */
export const GEMINI_METHODS: ReadonlyMap<string, (model: string, req: Request) => SpendingRoute> = new Map([
  [
    'generateContent',
    (model: string): SpendingRoute => ({
      endpoint: 'chat',
      name: GENERATE,
      dialect: geminiAnswers,
      hubBody: null,
      parseNative: parseContentsFor(model, false),
    }),
  ],
  [
    'embedContent',
    (model: string): SpendingRoute => ({
      endpoint: 'embeddings',
      name: geminiAddress('embedContent'),
      dialect: geminiEmbedding,
      hubBody: embeddingBodyFor(model),
    }),
  ],
  [
    'batchEmbedContents',
    (model: string): SpendingRoute => ({
      endpoint: 'embeddings',
      name: geminiAddress('batchEmbedContents'),
      dialect: geminiEmbeddings,
      hubBody: embeddingsBodyFor(model),
    }),
  ],
  [
    'streamGenerateContent',
    (model: string, { query }: Request): SpendingRoute => ({
      endpoint: 'chat',
      name: geminiAddress('streamGenerateContent'),
      dialect: query['alt'] === 'sse' ? geminiAnswers : geminiArrayAnswers,
      hubBody: null,
      parseNative: parseContentsFor(model, true),
    }),
  ],
]);

export const geminiAddresses: readonly string[] = [...GEMINI_METHODS.keys()].map(geminiAddress);
