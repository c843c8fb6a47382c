import { CohereClientV2, type Cohere } from 'cohere-ai';
import { Ollama, type Message } from 'ollama';
import { HELLO, PNG, PNG_URL, SCHEMA, thrownBy, WEATHER, type City, type MatrixClient } from './matrix-client.ts';

const model = 'm';

const textOf = ({ message: { content = [] } }: Cohere.V2ChatResponse): string =>
  content.map((item) => (item.type === 'text' ? item.text : '')).join('');

const cohere = (client: CohereClientV2): MatrixClient => {
  const messages: Cohere.ChatMessages = [{ role: 'user', content: HELLO }];
  const once = { maxRetries: 0 };
  return {
    name: 'cohere-ai',
    format: 'Cohere’s chat',
    text: async () => textOf(await client.chat({ model, messages }, once)),
    streamedText: async () => {
      let text = '';
      for await (const event of await client.chatStream({ model, messages }, once))
        if (event.type === 'content-delta') text += event.delta?.message?.content?.text ?? '';
      return text;
    },
    tools: async () => {
      const asked = { role: 'user' as const, content: WEATHER };
      const tools = [{ type: 'function' as const, function: { name: 'weather', parameters: SCHEMA } }];
      const calls: { id: string; name: string; text: string }[] = [];
      for await (const event of await client.chatStream({ model, messages: [asked], tools }, once)) {
        if (event.type === 'tool-call-start') {
          const { id = '', function: named } = event.delta?.message?.toolCalls ?? {};
          calls.push({ id, name: named?.name ?? '', text: named?.arguments ?? '' });
        } else if (event.type === 'tool-call-delta') {
          const last = calls.at(-1);
          if (last !== undefined) last.text += event.delta?.message?.toolCalls?.function?.arguments ?? '';
        }
      }
      const toolCalls = calls.map(({ id, name, text }) => ({ id, type: 'function' as const, function: { name, arguments: text } }));
      const results = calls.map(({ id }) => ({
        role: 'tool' as const,
        toolCallId: id,
        content: [{ type: 'document' as const, document: { data: { weather: 'sunny' } } }],
      }));
      const next = await client.chat({ model, tools, messages: [asked, { role: 'assistant', toolCalls }, ...results] }, once);
      return { calls: calls.map(({ text }) => JSON.parse(text) as City), text: textOf(next) };
    },
    structured: async () => {
      const responseFormat = { type: 'json_object' as const, jsonSchema: SCHEMA };
      return JSON.parse(textOf(await client.chat({ model, messages, responseFormat }, once)));
    },
    image: async () => {
      const content = [
        { type: 'text' as const, text: HELLO },
        { type: 'image_url' as const, imageUrl: { url: PNG_URL } },
      ];
      return textOf(await client.chat({ model, messages: [{ role: 'user', content }] }, once));
    },
    leave: async () => {
      const left = new AbortController();
      const stream = await client.chatStream({ model, messages }, { ...once, abortSignal: left.signal });
      for await (const event of stream) if (event.type === 'content-delta') break;
      left.abort();
    },
    thrown: thrownBy,
    embed: async (texts) =>
      (await client.embed({ model: 'e', texts: [...texts], inputType: 'search_document', embeddingTypes: ['float'] }, once)).embeddings
        .float ?? [],
  };
};

const ollama = (client: Ollama): MatrixClient => {
  const messages: Message[] = [{ role: 'user', content: HELLO }];
  return {
    name: 'ollama',
    format: 'Ollama’s chat',
    text: async () => (await client.chat({ model, messages })).message.content,
    streamedText: async () => {
      let text = '';
      for await (const { message } of await client.chat({ model, messages, stream: true })) text += message.content;
      return text;
    },
    tools: async () => {
      const asked = { role: 'user', content: WEATHER };
      const parameters = { type: 'object', properties: SCHEMA.properties, required: SCHEMA.required };
      const tools = [{ type: 'function', function: { name: 'weather', parameters } }];
      const said: Message = { role: 'assistant', content: '', tool_calls: [] };
      for await (const { message } of await client.chat({ model, messages: [asked], tools, stream: true })) {
        said.content += message.content;
        said.tool_calls?.push(...(message.tool_calls ?? []));
      }
      const calls = said.tool_calls ?? [];
      const results = calls.map(({ function: { name } }) => ({ role: 'tool', tool_name: name, content: 'sunny' }));
      const next = await client.chat({ model, tools, messages: [asked, said, ...results] });
      return { calls: calls.map(({ function: { arguments: given } }) => given as unknown as City), text: next.message.content };
    },
    structured: async () => JSON.parse((await client.chat({ model, messages, format: SCHEMA })).message.content),
    // By the other of its two ways to be asked.
    image: async () => (await client.generate({ model, prompt: HELLO, images: [PNG] })).response ?? '',
    leave: async () => {
      const stream = await client.chat({ model, messages, stream: true });
      for await (const { message } of stream) if (message.content !== '') break;
      client.abort();
    },
    thrown: (error) => {
      const { message, status_code: status } = error as { readonly message: string; readonly status_code?: number };
      return { message, status };
    },
    embed: async (texts) => (await client.embed({ model: 'e', input: [...texts] })).embeddings,
  };
};

/** Clients of providers with a format of their own. */
export const ownFormatClients = (url: string, key: string): readonly MatrixClient[] => [
  cohere(new CohereClientV2({ token: key, baseUrl: url })),
  ollama(new Ollama({ host: `${url}/ollama`, headers: { authorization: `Bearer ${key}` } })),
];
