import { expect } from 'chai';
import { messagesBody } from '../../../../domain/dialects/anthropic/messages-body.ts';
import { ChatRequest } from '../../../../schemas/openai/chat-request.ts';

const TARGET = { upstreamModel: 'claude-sonnet-4-5', modelLimit: null, loweredOutput: null };
const USER = { role: 'user', content: 'Hi' };
const PNG = 'data:image/png;base64,iVBORw0KGgo=';

const asked = (request: object, target: Partial<typeof TARGET> | { readonly [name: string]: unknown } = {}): Record<string, unknown> =>
  messagesBody(ChatRequest.parse({ model: 'm', messages: [USER], ...request }), { ...TARGET, ...target }) as unknown as Record<
    string,
    unknown
  >;

const param = (request: object): unknown => asked(request)['param'];

describe('a request of OpenAI’s chat completions as one of Anthropic’s Messages', () => {
  it('puts what systems said in front, with hints for the cache where there are any', () => {
    expect(asked({ messages: [{ role: 'system', content: 'A' }, USER, { role: 'developer', content: 'B' }] })).to.deep.include({
      system: 'A\n\nB',
      messages: [{ role: 'user', content: 'Hi' }],
    });
    const hint = { type: 'ephemeral', ttl: '1h' };
    const part = { type: 'text', text: 'A', cache_control: hint };
    expect(
      asked({
        messages: [
          { role: 'system', content: [part] },
          { role: 'user', content: [part] },
        ],
      }),
    ).to.deep.include({
      system: [part],
      messages: [{ role: 'user', content: [part] }],
    });
  });

  it('makes turns alternate, begin with the user, and leave nothing empty', () => {
    const { messages } = asked({
      messages: [
        { role: 'assistant', content: 'Welcome.' },
        USER,
        {
          role: 'user',
          content: [
            { type: 'text', text: '' },
            { type: 'text', text: 'again' },
          ],
        },
        { role: 'assistant', content: 'I was  ' },
      ],
    });
    expect(messages).to.deep.equal([
      { role: 'user', content: '...' },
      { role: 'assistant', content: 'Welcome.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Hi' },
          { type: 'text', text: 'again' },
        ],
      },
      { role: 'assistant', content: 'I was' },
    ]);
  });

  it('answers each call right behind it, in order, whatever was said between', () => {
    const call = (id: string): object => ({ id, type: 'function', function: { name: 'look', arguments: '{"a":1}' } });
    const { messages, tools } = asked({
      messages: [
        USER,
        { role: 'assistant', content: null, tool_calls: [call('a b'), call('c'), call('d')] },
        { role: 'tool', tool_call_id: 'c', content: 'two' },
        { role: 'tool', tool_call_id: 'a b', content: [{ type: 'text', text: 'one' }] },
        { role: 'tool', tool_call_id: 'nobody', content: 'lost' },
        USER,
      ],
    });
    const use = (id: string): object => ({ type: 'tool_use', id, name: 'look', input: { a: 1 } });
    expect(messages).to.deep.equal([
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: [use('a_b'), use('c'), use('d')] },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'a_b', content: 'one' },
          { type: 'tool_result', tool_use_id: 'c', content: 'two' },
          { type: 'tool_result', tool_use_id: 'd', content: 'There is no result.', is_error: true },
          { type: 'text', text: 'lost' },
          { type: 'text', text: 'Hi' },
        ],
      },
    ]);
    expect(tools).to.deep.equal([{ name: 'look', input_schema: { type: 'object', properties: {} } }]);
  });

  it('passes images and documents on', () => {
    const pdf = { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERi0=' } };
    const text = {
      type: 'file',
      file: { filename: 'a.txt', file_data: `data:text/plain;base64,${Buffer.from('Grüße').toString('base64')}` },
    };
    const images = [PNG, 'https://example.com/a.png'].map((url) => ({ type: 'image_url', image_url: { url } }));
    const { messages } = asked({ messages: [{ role: 'user', content: [...images, pdf, text] }] });
    expect(messages).to.deep.equal([
      {
        role: 'user',
        content: [
          { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' } },
          { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } },
          { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0=' }, title: 'a.pdf' },
          { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'Grüße' }, title: 'a.txt' },
        ],
      },
    ]);
  });

  it('describes tools, and says how to choose among them', () => {
    const tool = {
      type: 'function',
      function: { name: 'look', description: 'Looks.', strict: true },
      cache_control: { type: 'ephemeral' },
    };
    const other = { type: 'function', function: { name: 'touch', parameters: { properties: {} } } };
    const choices: readonly (readonly [unknown, unknown])[] = [
      ['auto', { type: 'auto' }],
      ['none', { type: 'none' }],
      ['required', { type: 'any' }],
      [
        { type: 'function', function: { name: 'look' } },
        { type: 'tool', name: 'look' },
      ],
    ];
    for (const [choice, said] of choices) expect(asked({ tools: [tool, other], tool_choice: choice })['tool_choice']).to.deep.equal(said);
    expect(asked({ tools: [tool, other], parallel_tool_calls: false })).to.deep.include({
      tools: [
        {
          name: 'look',
          description: 'Looks.',
          input_schema: { type: 'object', properties: {} },
          strict: true,
          cache_control: { type: 'ephemeral' },
        },
        { name: 'touch', input_schema: { type: 'object', properties: {} } },
      ],
      tool_choice: { type: 'auto', disable_parallel_tool_use: true },
    });
    const allowed = { type: 'allowed_tools', allowed_tools: { mode: 'required', tools: [other] } };
    const limited = asked({ tools: [tool, other], tool_choice: allowed });
    expect([(limited['tools'] as unknown[]).length, limited['tool_choice']]).to.deep.equal([1, { type: 'any' }]);
  });

  it('thinks as hard as asked, in the words that each generation of models knows', () => {
    const thinking = (model: string, effort: string, limit = 20_000): unknown => {
      const body = asked({ reasoning_effort: effort, max_completion_tokens: limit, temperature: 0.5 }, { upstreamModel: model });
      return [body['thinking'], body['output_config'], body['temperature']];
    };
    expect(thinking('claude-sonnet-4-5', 'high')).to.deep.equal([{ type: 'enabled', budget_tokens: 4_096 }, undefined, undefined]);
    expect(thinking('claude-sonnet-4-5', 'high', 2_000)).to.deep.equal([{ type: 'enabled', budget_tokens: 1_999 }, undefined, undefined]);
    expect(thinking('claude-sonnet-4-5', 'high', 1_000)).to.deep.equal([undefined, undefined, 0.5]);
    expect(thinking('claude-opus-4-6', 'xhigh')).to.deep.equal([{ type: 'adaptive' }, { effort: 'high' }, undefined]);
    expect(thinking('claude-opus-5', 'none')).to.deep.equal([{ type: 'disabled' }, undefined, undefined]);
    expect(thinking('claude-opus-5-5', 'none')).to.deep.equal([undefined, { effort: 'low' }, undefined]);
    expect(thinking('claude-3-haiku', 'high')).to.deep.equal([undefined, undefined, 0.5]);
  });

  it('gives thoughts back with their signatures, but not those of others', () => {
    const details = [
      { type: 'reasoning.text', text: 'Hm.', signature: 'sig', format: 'anthropic-claude-v1' },
      { type: 'reasoning.encrypted', data: 'xyz', format: 'anthropic-claude-v1' },
      { type: 'reasoning.text', text: 'Hm.', signature: 'sig', format: 'google-gemini-v1' },
    ];
    const { messages } = asked({ messages: [USER, { role: 'assistant', content: 'Yes', reasoning_details: details }, USER] });
    expect((messages as { content: unknown }[])[1]?.content).to.deep.equal([
      { type: 'thinking', thinking: 'Hm.', signature: 'sig' },
      { type: 'redacted_thinking', data: 'xyz' },
      { type: 'text', text: 'Yes' },
    ]);
  });

  it('asks for an answer of a form, or says it where the model cannot be asked', () => {
    const format = {
      type: 'json_schema',
      json_schema: { name: 'a', schema: { type: 'object', properties: { a: { type: 'object', properties: {} } } } },
    };
    expect(asked({ response_format: format })['output_config']).to.deep.equal({
      format: {
        type: 'json_schema',
        schema: {
          type: 'object',
          properties: { a: { type: 'object', properties: {}, additionalProperties: false } },
          additionalProperties: false,
        },
      },
    });
    expect(asked({ response_format: format }, { upstreamModel: 'claude-sonnet-4-20250514' })['system']).to.include('JSON Schema');
    expect(asked({ response_format: { type: 'json_object' } })['system']).to.include('JSON object');
  });

  it('never asks for more than was set aside or than the model can', () => {
    expect(asked({})['max_tokens']).to.equal(16_384);
    expect(asked({}, { modelLimit: 5_000 })['max_tokens']).to.equal(5_000);
    expect(asked({ max_tokens: 9_000 }, { modelLimit: 5_000 })['max_tokens']).to.equal(5_000);
    expect(asked({ max_tokens: 9_000 }, { loweredOutput: 40 })['max_tokens']).to.equal(40);
    expect(asked({ max_tokens: 900_000 })['max_tokens']).to.equal(64_000);
  });

  it('says the rest in its own words', () => {
    expect(
      asked({
        temperature: 1.7,
        top_p: 0.5,
        stop: ['a', ' '],
        user: 'u',
        stream: true,
        service_tier: 'default',
        seed: 1,
        web_search_options: {},
      }),
    ).to.deep.equal({
      model: 'claude-sonnet-4-5',
      max_tokens: 16_384,
      messages: [{ role: 'user', content: 'Hi' }],
      tools: [{ type: 'web_search_20250305', name: 'web_search', max_uses: 1 }],
      temperature: 1,
      stop_sequences: ['a'],
      metadata: { user_id: 'u' },
      service_tier: 'standard_only',
      stream: true,
    });
    expect(asked({ temperature: 0.2 }, { upstreamModel: 'claude-opus-5' })).not.to.have.property('temperature');
  });

  it('refuses by name what it cannot say', () => {
    expect(param({ n: 2 })).to.equal('n');
    expect(param({ modalities: ['audio'] })).to.equal('modalities');
    expect(param({ tools: [{ type: 'custom', custom: { name: 'x' } }] })).to.equal('tools.0');
    expect(param({ functions: [] })).to.equal('functions');
    const part = (one: object): object => ({ messages: [{ role: 'user', content: [one] }] });
    expect(param(part({ type: 'input_audio', input_audio: { data: '', format: 'wav' } }))).to.equal('messages.0');
    expect(param(part({ type: 'file', file: { file_id: 'file-1' } }))).to.equal('messages.0.content.0');
    expect(param(part({ type: 'image_url', image_url: { url: 'data:image/bmp;base64,AA==' } }))).to.equal('messages.0');
    expect(param({ messages: [{ role: 'function', name: 'f', content: '' }] })).to.equal('messages.0.role');
  });
});
