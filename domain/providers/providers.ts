import { SANDBOX_ADDRESS } from '../../schemas/sandbox-address.ts';
import { OPENAI_COMPATIBLE } from './openai-compatible.ts';
import { OTHER_FORMATS } from './other-formats.ts';
import type { Provider } from './provider.ts';

/** Every provider. */
export const PROVIDERS: readonly Provider[] = [
  {
    id: 'openai',
    name: 'OpenAI',
    baseUrl: 'https://api.openai.com/v1',
    auth: { kind: 'bearer' },
    dialect: 'openai',
    serves: ['chat', 'responses', 'embeddings', 'images', 'speech', 'transcription', 'moderation', 'video', 'realtime', 'batches', 'files'],
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
  ...OTHER_FORMATS,
  {
    id: 'sandbox',
    name: 'Sandbox',
    baseUrl: SANDBOX_ADDRESS,
    auth: { kind: 'bearer' },
    keyless: true,
    dialect: 'openai',
    serves: ['chat', 'embeddings', 'images', 'speech', 'transcription', 'moderation', 'rerank'],
    internal: true,
  },
];

const byId: ReadonlyMap<string, Provider> = new Map(PROVIDERS.map((provider) => [provider.id, provider]));

/** `undefined`: a later release knows it, this one does not. */
export const providerOf = (id: string): Provider | undefined => byId.get(id);
