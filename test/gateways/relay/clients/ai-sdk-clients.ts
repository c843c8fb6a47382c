import { createAlibaba } from '@ai-sdk/alibaba';
import { createAmazonBedrock } from '@ai-sdk/amazon-bedrock';
import { createAnthropic } from '@ai-sdk/anthropic';
import { createAzure } from '@ai-sdk/azure';
import { createCohere } from '@ai-sdk/cohere';
import { createDeepSeek } from '@ai-sdk/deepseek';
import { createGoogleGenerativeAI } from '@ai-sdk/google';
import { createMistral } from '@ai-sdk/mistral';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import {
  embedMany,
  generateObject,
  generateText,
  jsonSchema,
  stepCountIs,
  streamText,
  tool,
  type EmbeddingModel,
  type LanguageModel,
} from 'ai';
import { CLAUDE, GEMINI, HELLO, PNG_URL, SCHEMA, thrownBy, WEATHER, type City, type MatrixClient } from './matrix-client.ts';

const once = { maxRetries: 0 } as const;

const throwing = ({ error }: { readonly error: unknown }): void => {
  throw error;
};

const clientOf = (provider: string, format: string, model: LanguageModel, embedding: EmbeddingModel | null): MatrixClient => ({
  name: `ai, ${provider}`,
  format,
  text: async () => (await generateText({ ...once, model, prompt: HELLO })).text,
  streamedText: async () => await streamText({ ...once, model, prompt: HELLO, onError: throwing }).text,
  tools: async () => {
    const calls: City[] = [];
    const weather = tool({
      inputSchema: jsonSchema<City>(SCHEMA),
      execute: async (city) => {
        calls.push(city);
        return 'sunny';
      },
    });
    const { text } = streamText({ ...once, model, prompt: WEATHER, tools: { weather }, stopWhen: stepCountIs(2), onError: throwing });
    return { text: await text, calls };
  },
  structured: async () => (await generateObject({ ...once, model, prompt: HELLO, schema: jsonSchema<City>(SCHEMA) })).object,
  image: async () => {
    const content = [
      { type: 'text' as const, text: HELLO },
      { type: 'image' as const, image: PNG_URL },
    ];
    return (await generateText({ ...once, model, messages: [{ role: 'user', content }] })).text;
  },
  leave: async () => {
    const left = new AbortController();
    const { textStream } = streamText({ ...once, model, prompt: HELLO, abortSignal: left.signal });
    for await (const text of textStream) if (text !== '') break;
    left.abort();
  },
  thrown: thrownBy,
  embed: embedding === null ? null : async (texts) => (await embedMany({ ...once, model: embedding, values: [...texts] })).embeddings,
});

/** The AI SDK with its providers. */
export const aiSdkClients = (url: string, apiKey: string): readonly MatrixClient[] => {
  const openai = createOpenAI({ apiKey, baseURL: `${url}/v1` });
  const compatible = createOpenAICompatible({
    name: 'relay',
    apiKey,
    baseURL: `${url}/v1`,
    includeUsage: true,
    supportsStructuredOutputs: true,
  });
  const google = createGoogleGenerativeAI({ apiKey, baseURL: `${url}/v1beta` });
  const azure = createAzure({ apiKey, baseURL: `${url}/openai/v1` });
  const deployments = createAzure({ apiKey, baseURL: `${url}/openai`, useDeploymentBasedUrls: true });
  const cohere = createCohere({ apiKey, baseURL: `${url}/v2` });
  const mistral = createMistral({ apiKey, baseURL: `${url}/mistral/v1` });
  return [
    clientOf('@ai-sdk/openai', 'chat completions', openai.chat('m'), openai.textEmbeddingModel('e')),
    clientOf('@ai-sdk/openai', 'Responses', openai.responses('m'), null),
    clientOf('@ai-sdk/openai-compatible', 'chat completions', compatible('m'), compatible.textEmbeddingModel('e')),
    clientOf('@ai-sdk/anthropic', 'Messages', createAnthropic({ apiKey, baseURL: `${url}/v1` })(CLAUDE), null),
    clientOf('@ai-sdk/google', 'generateContent', google(GEMINI), google.textEmbeddingModel('e')),
    clientOf('@ai-sdk/azure', 'chat completions', azure.chat('m'), azure.textEmbeddingModel('e')),
    clientOf('@ai-sdk/azure', 'Responses', azure.responses('m'), null),
    clientOf('@ai-sdk/azure, deployments', 'chat completions', deployments.chat('m'), deployments.textEmbeddingModel('e')),
    clientOf('@ai-sdk/amazon-bedrock', 'Converse', createAmazonBedrock({ apiKey, baseURL: `${url}/bedrock` })('m'), null),
    clientOf('@ai-sdk/cohere', 'Cohere’s chat', cohere('m'), cohere.textEmbeddingModel('e')),
    clientOf('@ai-sdk/mistral', 'Mistral’s chat completions', mistral('m'), mistral.textEmbeddingModel('e')),
    clientOf('@ai-sdk/deepseek', 'chat completions', createDeepSeek({ apiKey, baseURL: `${url}/v1` })('m'), null),
    clientOf('@ai-sdk/alibaba', 'chat completions', createAlibaba({ apiKey, baseURL: `${url}/v1` })('m'), null),
  ];
};
