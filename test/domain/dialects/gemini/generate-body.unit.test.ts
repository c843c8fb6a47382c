import { expect } from 'chai';
import { generateBody } from '../../../../domain/dialects/gemini/generate-body.ts';
import { ChatRequest } from '../../../../schemas/openai/chat-request.ts';

const USER = { role: 'user', content: 'Hi' };

const asked = (request: object, upstreamModel = 'gemini-3-flash', loweredOutput: number | null = null): Record<string, unknown> =>
  generateBody(ChatRequest.parse({ model: 'm', messages: [USER], ...request }), { upstreamModel, loweredOutput }) as unknown as Record<
    string,
    unknown
  >;

const generation = (request: object, model?: string): Record<string, unknown> =>
  asked(request, model)['generationConfig'] as Record<string, unknown>;

describe('a request of OpenAI’s chat completions as one of Gemini’s generateContent', () => {
  it('puts what systems said in front, and begins with the user', () => {
    expect(asked({ messages: [{ role: 'assistant', content: 'Welcome.' }, USER, { role: 'system', content: 'A' }] })).to.deep.equal({
      systemInstruction: { parts: [{ text: 'A' }] },
      contents: [
        { role: 'user', parts: [{ text: '...' }] },
        { role: 'model', parts: [{ text: 'Welcome.' }] },
        { role: 'user', parts: [{ text: 'Hi' }] },
      ],
    });
  });

  it('answers as many calls as there were, by name, and by id where the model knows them', () => {
    const call = (id: string, name: string): object => ({ id, type: 'function', function: { name, arguments: '{"a":1}' } });
    const messages = [
      USER,
      { role: 'assistant', content: null, tool_calls: [call('x', 'look'), call('y', 'touch')] },
      { role: 'tool', tool_call_id: 'y', content: '{"sky":"clear"}' },
      { role: 'tool', tool_call_id: 'z', content: 'lost' },
    ];
    expect((asked({ messages }, 'gemini-2.5-pro')['contents'] as unknown[]).slice(1)).to.deep.equal([
      { role: 'model', parts: ['look', 'touch'].map((name) => ({ functionCall: { name, args: { a: 1 } } })) },
      {
        role: 'user',
        parts: [
          { functionResponse: { name: 'look', response: { error: 'There is no result.' } } },
          { functionResponse: { name: 'touch', response: { sky: 'clear' } } },
          { text: '{"output":"lost"}' },
        ],
      },
    ]);
    const [, model] = asked({ messages })['contents'] as { parts: object[] }[];
    expect(model?.parts).to.deep.equal([
      { functionCall: { id: 'x', name: 'look', args: { a: 1 } }, thoughtSignature: 'skip_thought_signature_validator' },
      { functionCall: { id: 'y', name: 'touch', args: { a: 1 } } },
    ]);
  });

  it('passes media on', () => {
    const content = [
      { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } },
      { type: 'image_url', image_url: { url: 'https://example.com/a.webp?b' } },
      { type: 'input_audio', input_audio: { data: 'BB==', format: 'wav' } },
      { type: 'file', file: { file_data: 'data:application/pdf;base64,CC==' } },
    ];
    const messages = [{ role: 'user', content }];
    expect((asked({ messages })['contents'] as { parts: unknown }[])[0]?.parts).to.deep.equal([
      { inlineData: { mimeType: 'image/png', data: 'AA==' } },
      { fileData: { mimeType: 'image/webp', fileUri: 'https://example.com/a.webp?b' } },
      { inlineData: { mimeType: 'audio/wav', data: 'BB==' } },
      { inlineData: { mimeType: 'application/pdf', data: 'CC==' } },
    ]);
    expect(asked({ messages }, 'gemini-2.0-flash')).to.have.property('param', 'messages.0');
  });

  it('describes functions in the form that each generation knows', () => {
    const parameters = {
      type: 'object',
      properties: { at: { type: ['string', 'null'], minLength: 1 } },
      additionalProperties: false,
      $schema: 'x',
    };
    const request = {
      tools: [{ type: 'function', function: { name: 'look', parameters } }],
      tool_choice: { type: 'function', function: { name: 'look' } },
    };
    const declared = (model: string): unknown =>
      (asked(request, model)['tools'] as { functionDeclarations: object[] }[])[0]?.functionDeclarations[0];
    expect(declared('gemini-2.5-flash')).to.deep.equal({
      name: 'look',
      parametersJsonSchema: { type: 'object', properties: { at: { type: ['string', 'null'] } }, additionalProperties: false },
    });
    expect(declared('gemini-2.0-flash')).to.deep.equal({
      name: 'look',
      parameters: { type: 'OBJECT', properties: { at: { type: 'STRING', minLength: 1, nullable: true } } },
    });
    expect(asked(request)['toolConfig']).to.deep.equal({ functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['look'] } });
  });

  it('thinks as hard as asked, in the words that each generation knows', () => {
    const thinking = (effort: string, model: string): unknown => generation({ reasoning_effort: effort, seed: 1 }, model)['thinkingConfig'];
    expect(thinking('high', 'gemini-2.5-flash')).to.deep.equal({ thinkingBudget: 4_096, includeThoughts: true });
    expect(thinking('none', 'gemini-2.5-flash')).to.deep.equal({ thinkingBudget: 0 });
    expect(thinking('none', 'gemini-2.5-pro')).to.deep.equal({ thinkingBudget: 128 });
    expect(thinking('medium', 'gemini-3-pro-preview')).to.deep.equal({ thinkingLevel: 'HIGH', includeThoughts: true });
    expect(thinking('medium', 'gemini-flash-latest')).to.deep.equal({ thinkingLevel: 'MEDIUM', includeThoughts: true });
    expect(thinking('high', 'gemma-3')).to.equal(undefined);
    const config = { thinking_config: { thinking_budget: 5, include_thoughts: false } };
    expect(generation({ extra_body: { google: config } })['thinkingConfig']).to.deep.equal({ thinkingBudget: 5, includeThoughts: false });
  });

  it('says the rest in its own words', () => {
    expect(
      generation({
        temperature: 1.5,
        top_p: 0.5,
        stop: 'a',
        seed: 3,
        n: 2,
        max_tokens: 9,
        modalities: ['text', 'image'],
        presence_penalty: 0.1,
      }),
    ).to.deep.equal({
      temperature: 1.5,
      topP: 0.5,
      stopSequences: ['a'],
      seed: 3,
      candidateCount: 2,
      maxOutputTokens: 9,
      responseModalities: ['TEXT', 'IMAGE'],
      presencePenalty: 0.1,
    });
    expect(asked({ max_tokens: 9 }, 'gemini-3-pro', 4)['generationConfig']).to.deep.equal({ maxOutputTokens: 4 });
    const schema = { type: 'object', properties: {} };
    expect(generation({ response_format: { type: 'json_schema', json_schema: { name: 'a', schema } } })).to.deep.equal({
      responseMimeType: 'application/json',
      responseJsonSchema: schema,
    });
    expect(asked({ web_search_options: {} })['tools']).to.deep.equal([{ googleSearch: {} }]);
  });

  it('refuses by name what it cannot say', () => {
    expect(asked({ modalities: ['audio'] })).to.have.property('param', 'modalities');
    expect(asked({ n: 9 })).to.have.property('param', 'n');
    expect(asked({ extra_body: { google: { cached_content: 'cachedContents/1' } } })).to.have.property(
      'param',
      'extra_body.google.cached_content',
    );
  });
});
