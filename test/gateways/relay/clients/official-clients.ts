import Anthropic from '@anthropic-ai/sdk';
import { FunctionCallingConfigMode, GoogleGenAI, type Content } from '@google/genai';
import EarlierAnthropic from 'anthropic-sdk-0';
import OpenAI, { AzureOpenAI } from 'openai';
import { HELLO, PNG, PNG_URL, SCHEMA, thrownBy, WEATHER, type City, type MatrixClient } from './matrix-client.ts';

const model = 'm';

const openaiChat = (client: OpenAI, name = 'openai'): MatrixClient => {
  const messages = [{ role: 'user' as const, content: HELLO }];
  return {
    name,
    format: 'chat completions',
    text: async () => (await client.chat.completions.create({ model, messages })).choices[0]?.message.content ?? '',
    streamedText: async () =>
      (await client.chat.completions.stream({ model, messages }).finalChatCompletion()).choices[0]?.message.content ?? '',
    tools: async () => {
      const asked = [{ role: 'user' as const, content: WEATHER }];
      const tools = [{ type: 'function' as const, function: { name: 'weather', parameters: SCHEMA } }];
      const { choices } = await client.chat.completions.stream({ model, messages: asked, tools }).finalChatCompletion();
      const said = choices[0]?.message;
      if (choices[0]?.finish_reason !== 'tool_calls' || said === undefined) throw new Error('no calls');
      const calls = (said.tool_calls ?? []).filter((call) => call.type === 'function');
      const results = calls.map(({ id }) => ({ role: 'tool' as const, tool_call_id: id, content: 'sunny' }));
      const next = await client.chat.completions.create({ model, tools, messages: [...asked, said, ...results] });
      return {
        calls: calls.map(({ function: { arguments: text } }) => JSON.parse(text) as City),
        text: next.choices[0]?.message.content ?? '',
      };
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
    embed: async (texts) => (await client.embeddings.create({ model: 'e', input: [...texts] })).data.map(({ embedding }) => [...embedding]),
  };
};

const openaiResponses = (client: OpenAI): MatrixClient => ({
  name: 'openai',
  format: 'Responses',
  text: async () => (await client.responses.create({ model, input: HELLO, store: false })).output_text,
  streamedText: async () => (await client.responses.stream({ model, input: HELLO, store: false }).finalResponse()).output_text,
  tools: async () => {
    const tools = [{ type: 'function' as const, name: 'weather', parameters: SCHEMA, strict: false }];
    const { output } = await client.responses.stream({ model, input: WEATHER, tools, store: false }).finalResponse();
    const calls = output.filter((item) => item.type === 'function_call');
    const input = [
      { role: 'user' as const, content: WEATHER },
      ...output.map((item) => {
        if (item.type !== 'function_call') return item as OpenAI.Responses.ResponseInputItem;
        const { parsed_arguments: _parsed, ...call } = item as typeof item & { parsed_arguments?: unknown };
        return call;
      }),
      ...calls.map(({ call_id: id }) => ({ type: 'function_call_output' as const, call_id: id, output: 'sunny' })),
    ];
    const next = await client.responses.create({ model, tools, input, store: false });
    return { calls: calls.map(({ arguments: text }) => JSON.parse(text) as City), text: next.output_text };
  },
  structured: async () => {
    const format = { type: 'json_schema' as const, name: 'place', schema: SCHEMA, strict: true };
    return JSON.parse((await client.responses.create({ model, input: HELLO, text: { format }, store: false })).output_text);
  },
  image: async () => {
    const content = [
      { type: 'input_text' as const, text: HELLO },
      { type: 'input_image' as const, image_url: PNG_URL, detail: 'auto' as const },
    ];
    return (await client.responses.create({ model, input: [{ role: 'user', content }], store: false })).output_text;
  },
  leave: async () => {
    for await (const event of await client.responses.create({ model, input: HELLO, stream: true, store: false }))
      if (event.type === 'response.output_text.delta') break;
  },
  thrown: thrownBy,
  embed: null,
});

const textOfMessage = ({ content }: Anthropic.Message): string =>
  content.map((block) => (block.type === 'text' ? block.text : '')).join('');

const anthropic = (client: Anthropic, name = '@anthropic-ai/sdk'): MatrixClient => {
  const asked = { model, max_tokens: 500, messages: [{ role: 'user' as const, content: HELLO }] };
  return {
    name,
    format: 'Messages',
    text: async () => textOfMessage(await client.messages.create(asked)),
    streamedText: async () => textOfMessage(await client.messages.stream(asked).finalMessage()),
    tools: async () => {
      const messages = [{ role: 'user' as const, content: WEATHER }];
      const tools = [{ name: 'weather', input_schema: SCHEMA }];
      const said = await client.messages.stream({ ...asked, messages, tools }).finalMessage();
      const calls = said.content.filter((block) => block.type === 'tool_use');
      const results = calls.map(({ id }) => ({ type: 'tool_result' as const, tool_use_id: id, content: 'sunny' }));
      const next = await client.messages.create({
        ...asked,
        tools,
        messages: [...messages, { role: 'assistant', content: said.content }, { role: 'user', content: results }],
      });
      return { calls: calls.map(({ input }) => input as City), text: textOfMessage(next) };
    },
    structured: async () => {
      const message = await client.messages.create({ ...asked, output_config: { format: { type: 'json_schema', schema: SCHEMA } } });
      return JSON.parse(textOfMessage(message));
    },
    image: async () => {
      const source = { type: 'base64' as const, media_type: 'image/png' as const, data: PNG };
      return textOfMessage(await client.messages.create({ ...asked, messages: [{ role: 'user', content: [{ type: 'image', source }] }] }));
    },
    leave: async () => {
      for await (const event of await client.messages.create({ ...asked, stream: true })) if (event.type === 'content_block_delta') break;
    },
    thrown: thrownBy,
    embed: null,
  };
};

const google = (client: GoogleGenAI): MatrixClient => ({
  name: '@google/genai',
  format: 'generateContent',
  text: async () => (await client.models.generateContent({ model, contents: HELLO })).text ?? '',
  streamedText: async () => {
    let text = '';
    for await (const response of await client.models.generateContentStream({ model, contents: HELLO })) text += response.text ?? '';
    return text;
  },
  tools: async () => {
    const config = {
      tools: [{ functionDeclarations: [{ name: 'weather', parametersJsonSchema: SCHEMA }] }],
      toolConfig: { functionCallingConfig: { mode: FunctionCallingConfigMode.AUTO } },
    };
    const asked: Content = { role: 'user', parts: [{ text: WEATHER }] };
    const said: NonNullable<Content['parts']> = [];
    for await (const { candidates } of await client.models.generateContentStream({ model, contents: [asked], config }))
      said.push(...(candidates?.[0]?.content?.parts ?? []).filter(({ text }) => text !== ''));
    const calls = said.flatMap(({ functionCall }) => (functionCall === undefined ? [] : [functionCall]));
    const results = calls.map(({ id, name = '' }) => ({
      functionResponse: { ...(id === undefined ? {} : { id }), name, response: { output: 'sunny' } },
    }));
    const next = await client.models.generateContent({
      model,
      config,
      contents: [asked, { role: 'model', parts: said }, { role: 'user', parts: results }],
    });
    return { calls: calls.map(({ args }) => args as unknown as City), text: next.text ?? '' };
  },
  structured: async () => {
    const config = { responseMimeType: 'application/json', responseJsonSchema: SCHEMA };
    return JSON.parse((await client.models.generateContent({ model, contents: HELLO, config })).text ?? '');
  },
  image: async () => {
    const parts = [{ text: HELLO }, { inlineData: { mimeType: 'image/png', data: PNG } }];
    return (await client.models.generateContent({ model, contents: [{ role: 'user', parts }] })).text ?? '';
  },
  leave: async () => {
    const left = new AbortController();
    const stream = await client.models.generateContentStream({ model, contents: HELLO, config: { abortSignal: left.signal } });
    for await (const response of stream) if ((response.text ?? '') !== '') break;
    left.abort();
  },
  thrown: thrownBy,
  embed: async (texts) =>
    ((await client.models.embedContent({ model: 'e', contents: [...texts] })).embeddings ?? []).map(({ values = [] }) => values),
});

/** The providers' own clients. */
export const officialClients = (url: string, apiKey: string): readonly MatrixClient[] => [
  openaiChat(new OpenAI({ apiKey, baseURL: `${url}/v1`, maxRetries: 0 })),
  openaiChat(new AzureOpenAI({ apiKey, baseURL: `${url}/openai`, apiVersion: '2024-10-21', maxRetries: 0 }), 'openai, AzureOpenAI'),
  openaiResponses(new OpenAI({ apiKey, baseURL: `${url}/v1`, maxRetries: 0 })),
  anthropic(new Anthropic({ apiKey, baseURL: url, maxRetries: 0 })),
  // What is asked of both is the same; their types are not.
  anthropic(new EarlierAnthropic({ apiKey, baseURL: url, maxRetries: 0 }) as unknown as Anthropic, '@anthropic-ai/sdk 0.x'),
  google(new GoogleGenAI({ apiKey, httpOptions: { baseUrl: url } })),
];
