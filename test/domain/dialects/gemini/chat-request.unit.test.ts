import { expect } from 'chai';
import { chatRequestOf } from '../../../../domain/dialects/gemini/chat-request.ts';
import { inCamelCase } from '../../../../domain/dialects/gemini/member-names.ts';
import { isRefusal } from '../../../../schemas/errors.ts';
import { GenerateContentRequest } from '../../../../schemas/gemini/generate-content-request.ts';

const USER = { role: 'user', parts: [{ text: 'Hi' }] };

const chatOf = (request: object, model = 'm'): ReturnType<typeof chatRequestOf> =>
  chatRequestOf(model, GenerateContentRequest.parse(inCamelCase({ contents: [USER], ...request })), false);

const converted = (request: object, model?: string): Record<string, unknown> => {
  const chat = chatOf(request, model);
  if (isRefusal(chat)) throw new Error(chat.message);
  return chat;
};

const refusedFor = (request: object): string => {
  const chat = chatOf(request);
  return isRefusal(chat) ? (chat.param ?? '') : 'not refused';
};

describe('a request of Gemini’s as one of OpenAI’s', () => {
  it('is the same in camel case and in snake case, and leaves names that are the caller’s own alone', () => {
    const schema = { type: 'OBJECT', properties: { first_name: { type: 'STRING', nullable: true } } };
    const camel = {
      systemInstruction: { parts: [{ text: 'Be brief.' }] },
      generationConfig: { maxOutputTokens: 5, responseSchema: schema },
    };
    const snake = {
      system_instruction: { parts: [{ text: 'Be brief.' }] },
      generation_config: { max_output_tokens: 5, response_schema: schema },
    };
    expect(converted(snake)).to.deep.equal(converted(camel));
    expect(converted(camel)).to.deep.equal({
      model: 'm',
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Hi' },
      ],
      max_tokens: 5,
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'answer', schema: { type: 'object', properties: { first_name: { type: ['string', 'null'] } } } },
      },
    });
  });

  it('shows images, sound and documents', () => {
    const { messages } = converted({
      contents: [
        {
          parts: [
            { text: 'Compare.' },
            { inlineData: { mimeType: 'image/png', data: 'iVBORw0KGgo=' } },
            { inlineData: { mimeType: 'audio/wav', data: 'UklGRg==' } },
            { inlineData: { mimeType: 'application/pdf', data: 'JVBERi0=' } },
            { fileData: { mimeType: 'image/png', fileUri: 'https://example.com/a.png' } },
          ],
        },
      ],
    });
    expect(messages).to.deep.equal([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Compare.' },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } },
          { type: 'input_audio', input_audio: { data: 'UklGRg==', format: 'wav' } },
          { type: 'file', file: { filename: 'document.pdf', file_data: 'data:application/pdf;base64,JVBERi0=' } },
          { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
        ],
      },
    ]);
  });

  it('matches answers of functions to their calls: by id, or by name in turn', () => {
    const call = (name: string, at: number, id?: string): object => ({
      functionCall: { name, args: { at }, ...(id === undefined ? {} : { id }) },
    });
    const answer = (name: string, output: string, id?: string): object => ({
      functionResponse: { name, response: { output }, ...(id === undefined ? {} : { id }) },
    });
    const { messages } = converted({
      contents: [
        USER,
        {
          role: 'model',
          parts: [{ text: 'Hm.', thought: true }, { text: 'Looking.' }, call('look', 1), call('look', 2), call('find', 3, 'f')],
        },
        { role: 'user', parts: [answer('find', 'third', 'f'), answer('look', 'first'), answer('look', 'second'), { text: 'And?' }] },
      ],
    });
    const [, said, ...rest] = messages as Record<string, unknown>[];
    expect(said).to.deep.equal({
      role: 'assistant',
      content: 'Looking.',
      tool_calls: [
        { id: 'call_0', type: 'function', function: { name: 'look', arguments: '{"at":1}' } },
        { id: 'call_1', type: 'function', function: { name: 'look', arguments: '{"at":2}' } },
        { id: 'f', type: 'function', function: { name: 'find', arguments: '{"at":3}' } },
      ],
    });
    expect(rest).to.deep.equal([
      { role: 'tool', tool_call_id: 'f', content: 'third' },
      { role: 'tool', tool_call_id: 'call_0', content: 'first' },
      { role: 'tool', tool_call_id: 'call_1', content: 'second' },
      { role: 'user', content: 'And?' },
    ]);
  });

  it('describes functions that may be called, and only those', () => {
    const declare = (name: string): object => ({ name, description: `Does ${name}.`, parameters: { type: 'OBJECT', properties: {} } });
    const { tools, tool_choice: choice } = converted({
      tools: [{ functionDeclarations: [declare('look'), declare('find')] }],
      toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['find'] } },
    });
    expect(tools).to.deep.equal([
      { type: 'function', function: { name: 'find', description: 'Does find.', parameters: { type: 'object', properties: {} } } },
    ]);
    expect(choice).to.equal('required');
  });

  it('tells models that reason how hard to, and no others', () => {
    const thinking = (config: object): object => ({ generationConfig: { thinkingConfig: config } });
    expect(converted(thinking({ thinkingBudget: 100 }), 'gpt-5')['reasoning_effort']).to.equal('low');
    expect(converted(thinking({ thinkingLevel: 'HIGH' }), 'gpt-5')['reasoning_effort']).to.equal('high');
    expect(converted(thinking({ thinkingBudget: -1 }), 'gpt-5')).not.to.have.property('reasoning_effort');
    expect(converted(thinking({ thinkingBudget: 100 }))).not.to.have.property('reasoning_effort');
  });

  it('is refused by name where leaving something out would change what was asked', () => {
    expect(refusedFor({ tools: [{ codeExecution: {} }] })).to.equal('tools.0.codeExecution');
    expect(refusedFor({ cachedContent: 'cachedContents/1' })).to.equal('cachedContent');
    expect(refusedFor({ generationConfig: { candidateCount: 2 } })).to.equal('generationConfig.candidateCount');
    expect(refusedFor({ generationConfig: { responseModalities: ['TEXT', 'IMAGE'] } })).to.equal('generationConfig.responseModalities');
    expect(refusedFor({ contents: [{ parts: [{ fileData: { fileUri: 'gs://bucket/a.png' } }] }] })).to.equal('contents.0.parts.0');
    expect(refusedFor({ contents: [{ parts: [{ functionResponse: { name: 'look' } }] }] })).to.equal('contents.0.parts.0');
  });
});
