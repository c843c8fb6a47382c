import { expect } from 'chai';
import { chatRequestOf } from '../../../../domain/dialects/anthropic/chat-request.ts';
import { messagesBody } from '../../../../domain/dialects/anthropic/messages-body.ts';
import { ChatRequest } from '../../../../schemas/openai/chat-request.ts';
import { MessagesRequest } from '../../../../schemas/anthropic/messages-request.ts';
import { isRefusal } from '../../../../schemas/errors.ts';

const PIXEL = 'iVBORw0KGgo=';

const converted = (request: object): Record<string, unknown> => {
  const chat = chatRequestOf(
    MessagesRequest.parse({ model: 'm', max_tokens: 10, messages: [{ role: 'user', content: 'Hi' }], ...request }),
    false,
  );
  if (isRefusal(chat)) throw new Error(chat.message);
  return chat;
};

const refusedFor = (request: object): string => {
  const chat = chatRequestOf(
    MessagesRequest.parse({ model: 'm', max_tokens: 10, messages: [{ role: 'user', content: 'Hi' }], ...request }),
    false,
  );
  return isRefusal(chat) ? (chat.param ?? '') : 'not refused';
};

describe('a request of Anthropic’s as one of OpenAI’s', () => {
  it('is what it was, where nothing has to change', () => {
    expect(converted({})).to.deep.equal({ model: 'm', messages: [{ role: 'user', content: 'Hi' }], max_tokens: 10 });
  });

  it('puts instructions first, as one message', () => {
    const { messages } = converted({
      system: [
        { type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } },
        { type: 'text', text: 'Be kind.' },
      ],
    });
    expect(messages).to.deep.equal([
      { role: 'system', content: 'Be brief.\n\nBe kind.' },
      { role: 'user', content: 'Hi' },
    ]);
  });

  it('shows images and documents', () => {
    const { messages } = converted({
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Compare.' },
            { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PIXEL } },
            { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } },
            { type: 'document', title: 'bill.pdf', source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0=' } },
            { type: 'document', title: 'Terms', source: { type: 'text', media_type: 'text/plain', data: 'Pay.' } },
          ],
        },
      ],
    });
    expect(messages).to.deep.equal([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Compare.' },
          { type: 'image_url', image_url: { url: `data:image/png;base64,${PIXEL}` } },
          { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
          { type: 'file', file: { filename: 'bill.pdf', file_data: 'data:application/pdf;base64,JVBERi0=' } },
          { type: 'text', text: 'Terms\n\nPay.' },
        ],
      },
    ]);
  });

  it('answers calls of tools right behind them, and shows what they found to see', () => {
    const { messages } = converted({
      messages: [
        { role: 'user', content: 'Look.' },
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'Hm.', signature: 's' },
            { type: 'text', text: 'Looking.' },
            { type: 'tool_use', id: 'a', name: 'look', input: { at: 1 } },
            { type: 'tool_use', id: 'b', name: 'look', input: {} },
          ],
        },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'And?' },
            {
              type: 'tool_result',
              tool_use_id: 'a',
              content: [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: PIXEL } }],
            },
            { type: 'tool_result', tool_use_id: 'b', is_error: true },
          ],
        },
      ],
    });
    expect(messages).to.deep.equal([
      { role: 'user', content: 'Look.' },
      {
        role: 'assistant',
        content: 'Looking.',
        tool_calls: [
          { id: 'a', type: 'function', function: { name: 'look', arguments: '{"at":1}' } },
          { id: 'b', type: 'function', function: { name: 'look', arguments: '{}' } },
        ],
      },
      { role: 'tool', tool_call_id: 'a', content: '(An image follows in the next message.)' },
      { role: 'tool', tool_call_id: 'b', content: 'Error: the tool failed.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'And?' },
          { type: 'image_url', image_url: { url: `data:image/png;base64,${PIXEL}` } },
        ],
      },
    ]);
  });

  it('describes tools and says how to choose among them', () => {
    const tools = [{ name: 'look', description: 'Looks.', input_schema: { type: 'object', properties: { at: { type: 'integer' } } } }];
    expect(converted({ tools, tool_choice: { type: 'any', disable_parallel_tool_use: true } })).to.deep.include({
      tools: [{ type: 'function', function: { name: 'look', description: 'Looks.', parameters: tools[0]?.input_schema } }],
      tool_choice: 'required',
      parallel_tool_calls: false,
    });
    expect(converted({ tools, tool_choice: { type: 'tool', name: 'look' } })['tool_choice']).to.deep.equal({
      type: 'function',
      function: { name: 'look' },
    });
    expect(converted({ tool_choice: { type: 'auto' } })).not.to.have.property('tool_choice');
  });

  it('carries what decides about the answer', () => {
    expect(
      converted({
        model: 'gpt-5',
        stream: true,
        temperature: 0.5,
        top_k: 3,
        stop_sequences: ['a', ' ', 'b', 'c', 'd', 'e'],
        metadata: { user_id: 'u'.repeat(80) },
        thinking: { type: 'enabled', budget_tokens: 4_000 },
        output_config: { format: { type: 'json_schema', schema: { type: 'object' } } },
      }),
    ).to.deep.equal({
      model: 'gpt-5',
      messages: [{ role: 'user', content: 'Hi' }],
      max_completion_tokens: 10,
      temperature: 0.5,
      stop: ['a', 'b', 'c', 'd'],
      user: 'u'.repeat(64),
      stream: true,
      stream_options: { include_usage: true },
      reasoning_effort: 'medium',
      response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: { type: 'object' }, strict: true } },
    });
    expect(converted({ thinking: { type: 'enabled', budget_tokens: 4_000 } }), 'a model that would refuse it').not.to.have.property(
      'reasoning_effort',
    );
  });

  it('is refused by name where leaving something out would change what was asked', () => {
    expect(refusedFor({ tools: [{ type: 'bash_20250124', name: 'bash' }] })).to.equal('tools.0');
    const said = (block: object): string => refusedFor({ messages: [{ role: 'user', content: [block] }] });
    expect(said({ type: 'container_upload', file_id: 'f' })).to.equal('messages.0.content.0');
    expect(said({ type: 'image', source: { type: 'file', file_id: 'f' } })).to.equal('messages.0.content.0');
    expect(said({ type: 'tool_use', id: 'a', name: 'look', input: {} })).to.equal('messages.0.content.0');
  });

  it('keeps hints for caches and signed thoughts for upstreams that understand them', () => {
    const hint = { cache_control: { type: 'ephemeral' } };
    const request = {
      system: [{ type: 'text', text: 'A', ...hint }],
      tools: [{ name: 'look', input_schema: { type: 'object' }, ...hint }],
      messages: [
        { role: 'user', content: [{ type: 'text', text: 'Hi', ...hint }] },
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'Hm.', signature: 'sig' },
            { type: 'redacted_thinking', data: 'xyz' },
            { type: 'tool_use', id: 'a', name: 'look', input: {} },
          ],
        },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'a', content: 'seen', ...hint }] },
      ],
    };
    const parsed = MessagesRequest.parse({ model: 'm', max_tokens: 10, ...request });
    const call = { id: 'a', type: 'function', function: { name: 'look', arguments: '{}' } };
    const { messages, tools } = chatRequestOf(parsed, true) as unknown as { messages: object[]; tools: object[] };
    expect(messages).to.deep.equal([
      { role: 'system', content: [{ type: 'text', text: 'A', ...hint }] },
      { role: 'user', content: [{ type: 'text', text: 'Hi', ...hint }] },
      {
        role: 'assistant',
        content: null,
        reasoning_details: [
          { type: 'reasoning.text', text: 'Hm.', signature: 'sig', format: 'anthropic-claude-v1', index: 0 },
          { type: 'reasoning.encrypted', data: 'xyz', format: 'anthropic-claude-v1', index: 1 },
        ],
        tool_calls: [call],
      },
      { role: 'tool', tool_call_id: 'a', content: 'seen', ...hint },
    ]);
    expect(tools).to.deep.equal([{ type: 'function', function: { name: 'look', parameters: { type: 'object' } }, ...hint }]);
    expect(JSON.stringify(chatRequestOf(parsed, false))).not.to.match(/cache_control|reasoning_details/);
    // And back to where such things are from.
    const body = messagesBody(ChatRequest.parse(chatRequestOf(parsed, true)), {
      upstreamModel: 'm',
      modelLimit: null,
      loweredOutput: null,
    });
    expect(body).to.deep.include({ system: request.system, messages: request.messages });
  });
});
