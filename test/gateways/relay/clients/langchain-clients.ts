import { ChatAnthropic } from '@langchain/anthropic';
import type { BaseChatModel } from '@langchain/core/language_models/chat_models';
import { AIMessageChunk, HumanMessage, ToolMessage } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { ChatGoogleGenerativeAI } from '@langchain/google-genai';
import { ChatOpenAI } from '@langchain/openai';
import { CLAUDE, GEMINI, HELLO, PNG_URL, SCHEMA, thrownBy, WEATHER, type City, type MatrixClient } from './matrix-client.ts';

const weather = tool(() => 'sunny', { name: 'weather', description: 'The weather in a city.', schema: SCHEMA });

const clientOf = (name: string, format: string, model: BaseChatModel): MatrixClient => ({
  name,
  format,
  text: async () => (await model.invoke(HELLO)).text,
  streamedText: async () => {
    let text = '';
    for await (const chunk of await model.stream(HELLO)) text += chunk.text;
    return text;
  },
  tools: async () => {
    const calling = model.bindTools?.([weather]);
    if (calling === undefined) throw new Error('it takes no tools');
    let said: AIMessageChunk | null = null;
    for await (const chunk of await calling.stream(WEATHER)) said = said === null ? chunk : said.concat(chunk);
    const calls = said?.tool_calls ?? [];
    const results = calls.map(({ id = '', name: called }) => new ToolMessage({ tool_call_id: id, name: called, content: 'sunny' }));
    const next = await calling.invoke([new HumanMessage(WEATHER), said ?? new AIMessageChunk(''), ...results]);
    return { calls: calls.map(({ args }) => args as unknown as City), text: next.text };
  },
  structured: async () => await model.withStructuredOutput(SCHEMA, { name: 'place' }).invoke(HELLO),
  image: async () => {
    const content = [
      { type: 'text' as const, text: HELLO },
      { type: 'image_url' as const, image_url: { url: PNG_URL } },
    ];
    return (await model.invoke([new HumanMessage({ content })])).text;
  },
  leave: async () => {
    const left = new AbortController();
    try {
      for await (const chunk of await model.stream(HELLO, { signal: left.signal })) if (chunk.text !== '') left.abort();
    } catch (error) {
      if (!left.signal.aborted) throw error;
    }
  },
  thrown: thrownBy,
  embed: null,
});

/** LangChain's clients. That of Anthropic's format has an older one of Anthropic's inside, that of Google's the one before the present. */
export const langchainClients = (url: string, apiKey: string): readonly MatrixClient[] => [
  clientOf(
    '@langchain/openai',
    'chat completions',
    new ChatOpenAI({ model: 'm', apiKey, maxRetries: 0, configuration: { baseURL: `${url}/v1` } }),
  ),
  clientOf(
    '@langchain/anthropic',
    'Messages',
    new ChatAnthropic({ model: CLAUDE, apiKey, maxRetries: 0, maxTokens: 500, anthropicApiUrl: url }),
  ),
  clientOf(
    '@langchain/google-genai',
    'generateContent',
    new ChatGoogleGenerativeAI({ model: GEMINI, apiKey, maxRetries: 0, baseUrl: url }),
  ),
];
