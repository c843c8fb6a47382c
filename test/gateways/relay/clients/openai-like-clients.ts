import { Mistral } from '@mistralai/mistralai';
import Groq from 'groq-sdk';
import { HELLO, PNG_URL, SCHEMA, thrownBy, WEATHER, type City, type MatrixClient } from './matrix-client.ts';

const model = 'm';

/** A call of a tool while its pieces come. */
interface Call {
  id: string;
  name: string;
  text: string;
}

interface Piece {
  readonly index?: number | undefined;
  readonly id?: string | null | undefined;
  readonly function?: { readonly name?: string | undefined; readonly arguments?: unknown } | undefined;
}

/** Adds pieces up as whoever uses these clients has to: they have no collectors of their own. */
const addPieces = (calls: Map<number, Call>, pieces: readonly Piece[]): void => {
  for (const { index = 0, id, function: named } of pieces) {
    const call = calls.get(index) ?? { id: '', name: '', text: '' };
    calls.set(index, call);
    // Mistral’s client says `null` where a piece has no id.
    if (typeof id === 'string' && id !== 'null') call.id = id;
    call.name += named?.name ?? '';
    call.text += typeof named?.arguments === 'string' ? named.arguments : '';
  }
};

const groq = (client: Groq): MatrixClient => {
  const messages = [{ role: 'user' as const, content: HELLO }];
  return {
    name: 'groq-sdk',
    format: 'chat completions',
    text: async () => (await client.chat.completions.create({ model, messages })).choices[0]?.message.content ?? '',
    streamedText: async () => {
      let text = '';
      for await (const { choices } of await client.chat.completions.create({ model, messages, stream: true }))
        text += choices[0]?.delta.content ?? '';
      return text;
    },
    tools: async () => {
      const asked = { role: 'user' as const, content: WEATHER };
      const tools = [{ type: 'function' as const, function: { name: 'weather', parameters: SCHEMA } }];
      const pieces = new Map<number, Call>();
      for await (const { choices } of await client.chat.completions.create({ model, messages: [asked], tools, stream: true }))
        addPieces(pieces, choices[0]?.delta.tool_calls ?? []);
      const calls = [...pieces.values()];
      const said = {
        role: 'assistant' as const,
        tool_calls: calls.map(({ id, name, text }) => ({ id, type: 'function' as const, function: { name, arguments: text } })),
      };
      const results = calls.map(({ id }) => ({ role: 'tool' as const, tool_call_id: id, content: 'sunny' }));
      const next = await client.chat.completions.create({ model, tools, messages: [asked, said, ...results] });
      return { calls: calls.map(({ text }) => JSON.parse(text) as City), text: next.choices[0]?.message.content ?? '' };
    },
    structured: async () => {
      const format = { type: 'json_schema' as const, json_schema: { name: 'place', schema: SCHEMA, strict: true } };
      const { choices } = await client.chat.completions.create({ model, messages, response_format: format });
      return JSON.parse(choices[0]?.message.content ?? '');
    },
    image: async () => {
      const content = [
        { type: 'text' as const, text: HELLO },
        { type: 'image_url' as const, image_url: { url: PNG_URL } },
      ];
      return (await client.chat.completions.create({ model, messages: [{ role: 'user', content }] })).choices[0]?.message.content ?? '';
    },
    leave: async () => {
      const stream = await client.chat.completions.create({ model, messages, stream: true });
      for await (const chunk of stream) if (chunk.choices.length > 0) break;
    },
    thrown: thrownBy,
    embed: async (texts) =>
      (await client.embeddings.create({ model: 'e', input: [...texts] })).data.map(({ embedding }) =>
        typeof embedding === 'string' ? [] : [...embedding],
      ),
  };
};

const textIn = (content: unknown): string => (typeof content === 'string' ? content : '');

const mistral = (client: Mistral): MatrixClient => {
  const messages = [{ role: 'user' as const, content: HELLO }];
  return {
    name: '@mistralai/mistralai',
    format: 'Mistral’s chat completions',
    text: async () => textIn((await client.chat.complete({ model, messages })).choices[0]?.message?.content),
    streamedText: async () => {
      let text = '';
      for await (const { data } of await client.chat.stream({ model, messages })) text += textIn(data.choices[0]?.delta.content);
      return text;
    },
    tools: async () => {
      const asked = { role: 'user' as const, content: WEATHER };
      const tools = [{ type: 'function' as const, function: { name: 'weather', parameters: SCHEMA } }];
      const pieces = new Map<number, Call>();
      for await (const { data } of await client.chat.stream({ model, messages: [asked], tools }))
        addPieces(pieces, data.choices[0]?.delta.toolCalls ?? []);
      const calls = [...pieces.values()];
      const said = {
        role: 'assistant' as const,
        toolCalls: calls.map(({ id, name, text }) => ({ id, function: { name, arguments: text } })),
      };
      const results = calls.map(({ id, name }) => ({ role: 'tool' as const, toolCallId: id, name, content: 'sunny' }));
      const next = await client.chat.complete({ model, tools, messages: [asked, said, ...results] });
      return { calls: calls.map(({ text }) => JSON.parse(text) as City), text: textIn(next.choices[0]?.message?.content) };
    },
    structured: async () => {
      const responseFormat = { type: 'json_schema' as const, jsonSchema: { name: 'place', schemaDefinition: SCHEMA, strict: true } };
      return JSON.parse(textIn((await client.chat.complete({ model, messages, responseFormat })).choices[0]?.message?.content));
    },
    image: async () => {
      const content = [
        { type: 'text' as const, text: HELLO },
        { type: 'image_url' as const, imageUrl: PNG_URL },
      ];
      const { choices } = await client.chat.complete({ model, messages: [{ role: 'user', content }] });
      return textIn(choices[0]?.message?.content);
    },
    leave: async () => {
      for await (const { data } of await client.chat.stream({ model, messages })) if (data.choices.length > 0) break;
    },
    thrown: thrownBy,
    embed: async (texts) =>
      (await client.embeddings.create({ model: 'e', inputs: [...texts] })).data.map(({ embedding = [] }) => embedding),
  };
};

/** Clients of providers that took over OpenAI’s format, each with what its provider has beside it. */
export const openaiLikeClients = (url: string, apiKey: string): readonly MatrixClient[] => [
  groq(new Groq({ apiKey, baseURL: url, maxRetries: 0 })),
  mistral(new Mistral({ apiKey, serverURL: `${url}/mistral`, retryConfig: { strategy: 'none' } })),
];
