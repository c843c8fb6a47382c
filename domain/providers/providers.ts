import { OPENAI_COMPATIBLE } from './openai-compatible.ts';
import type { Provider } from './provider.ts';

/** Every provider. */
export const PROVIDERS: readonly Provider[] = [
  {
    id: 'openai',
    name: 'OpenAI',
    baseUrl: 'https://api.openai.com/v1',
    auth: { kind: 'bearer' },
    dialect: 'openai',
    serves: ['chat', 'responses', 'embeddings', 'images', 'speech', 'transcription', 'moderation', 'realtime', 'batches', 'files'],
  },
  {
    id: 'openai-compatible',
    name: 'Other, OpenAI-compatible',
    baseUrl: null,
    auth: { kind: 'bearer' },
    keyless: true,
    dialect: 'openai',
    serves: ['chat', 'embeddings'],
  },
  ...OPENAI_COMPATIBLE,
  {
    id: 'sandbox',
    name: 'Sandbox',
    baseUrl: null,
    auth: { kind: 'bearer' },
    keyless: true,
    dialect: 'openai',
    serves: ['chat', 'embeddings'],
    internal: true,
  },
  {
    id: 'anthropic',
    name: 'Anthropic',
    baseUrl: 'https://api.anthropic.com/v1',
    auth: { kind: 'header', name: 'x-api-key' },
    dialect: 'anthropic',
    serves: ['chat', 'batches', 'files'],
  },
  {
    id: 'gemini',
    name: 'Google Gemini',
    baseUrl: 'https://generativelanguage.googleapis.com/v1beta',
    auth: { kind: 'header', name: 'x-goog-api-key' },
    dialect: 'gemini',
    serves: ['chat', 'embeddings', 'images', 'files', 'batches'],
  },
];

const byId: ReadonlyMap<string, Provider> = new Map(PROVIDERS.map((provider) => [provider.id, provider]));

/** `undefined`: a later release knows it, this one does not. */
export const providerOf = (id: string): Provider | undefined => byId.get(id);
