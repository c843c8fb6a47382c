import type { Provider } from './provider.ts';

const ANTHROPIC = { auth: { kind: 'header', name: 'x-api-key' }, dialect: 'anthropic', serves: ['chat'] } as const;

const RESOURCE = [{ name: 'resource', form: 'host' }] as const;

/** Providers with a format, or a way to be asked, of their own; by id. */
export const OTHER_FORMATS: readonly Provider[] = [
  {
    id: 'anthropic',
    name: 'Anthropic',
    baseUrl: 'https://api.anthropic.com/v1',
    ...ANTHROPIC,
    serves: ['chat', 'batches', 'files'],
  },
  {
    id: 'aws-bedrock',
    name: 'Amazon Bedrock',
    baseUrl: 'https://bedrock-runtime.{region}.amazonaws.com',
    blanks: [{ name: 'region', form: 'host' }],
    auth: { kind: 'aws' },
    dialect: 'bedrock',
    serves: ['chat'],
  },
  {
    id: 'azure-openai',
    name: 'Azure OpenAI',
    baseUrl: 'https://{resource}.openai.azure.com/openai/v1',
    blanks: RESOURCE,
    auth: { kind: 'header', name: 'api-key' },
    dialect: 'openai',
    serves: ['chat', 'responses', 'embeddings', 'images', 'speech', 'transcription', 'realtime', 'batches', 'files'],
  },
  {
    id: 'azure-openai-deployments',
    name: 'Azure OpenAI (deployments, 2024-10-21)',
    baseUrl: 'https://{resource}.openai.azure.com/openai',
    blanks: RESOURCE,
    auth: { kind: 'header', name: 'api-key' },
    dialect: 'azure',
    serves: ['chat', 'embeddings', 'images', 'speech', 'transcription'],
  },
  {
    id: 'cohere',
    name: 'Cohere',
    baseUrl: 'https://api.cohere.com/v2',
    auth: { kind: 'bearer' },
    dialect: 'cohere',
    serves: ['chat', 'embeddings', 'rerank', 'batches'],
  },
  {
    id: 'deepseek-anthropic',
    name: 'DeepSeek (Anthropic’s format)',
    baseUrl: 'https://api.deepseek.com/anthropic/v1',
    ...ANTHROPIC,
  },
  {
    id: 'gemini',
    name: 'Google Gemini',
    baseUrl: 'https://generativelanguage.googleapis.com/v1beta',
    auth: { kind: 'header', name: 'x-goog-api-key' },
    dialect: 'gemini',
    serves: ['chat', 'embeddings', 'images', 'files', 'batches'],
  },
  {
    id: 'google-vertex',
    name: 'Google Vertex AI (Gemini)',
    baseUrl: 'https://{location}-aiplatform.googleapis.com/v1/projects/{project}/locations/{location}/publishers/google',
    blanks: [
      { name: 'location', form: 'host' },
      { name: 'project', form: 'segment' },
    ],
    auth: { kind: 'google' },
    dialect: 'gemini',
    serves: ['chat'],
  },
  {
    id: 'google-vertex-express',
    name: 'Google Vertex AI (Gemini, express mode)',
    baseUrl: 'https://aiplatform.googleapis.com/v1beta1/publishers/google',
    auth: { kind: 'header', name: 'x-goog-api-key' },
    dialect: 'gemini',
    serves: ['chat'],
  },
  {
    id: 'google-vertex-global',
    name: 'Google Vertex AI (Gemini, global)',
    baseUrl: 'https://aiplatform.googleapis.com/v1/projects/{project}/locations/global/publishers/google',
    blanks: [{ name: 'project', form: 'segment' }],
    auth: { kind: 'google' },
    dialect: 'gemini',
    serves: ['chat'],
  },
  {
    id: 'minimax-anthropic',
    name: 'MiniMax (Anthropic’s format)',
    baseUrl: 'https://api.minimax.io/anthropic/v1',
    ...ANTHROPIC,
  },
  {
    id: 'minimax-cn-anthropic',
    name: 'MiniMax (China, Anthropic’s format)',
    baseUrl: 'https://api.minimaxi.com/anthropic/v1',
    ...ANTHROPIC,
  },
  {
    id: 'moonshot-cn-anthropic',
    name: 'Moonshot AI (China, Anthropic’s format)',
    baseUrl: 'https://api.moonshot.cn/anthropic/v1',
    ...ANTHROPIC,
  },
  {
    id: 'ollama-native',
    name: 'Ollama (its own format)',
    baseUrl: 'http://localhost:11434/api',
    auth: { kind: 'bearer' },
    keyless: true,
    dialect: 'ollama',
    serves: ['chat', 'embeddings'],
  },
  { id: 'zai-anthropic', name: 'Z.ai (Anthropic’s format)', baseUrl: 'https://api.z.ai/api/anthropic/v1', ...ANTHROPIC },
  {
    id: 'zhipu-anthropic',
    name: 'Zhipu BigModel (Anthropic’s format)',
    baseUrl: 'https://open.bigmodel.cn/api/anthropic/v1',
    ...ANTHROPIC,
  },
];
