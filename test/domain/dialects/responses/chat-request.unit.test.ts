import { expect } from 'chai';
import fc from 'fast-check';
import { chatRequestOf, type SaidInChat } from '../../../../domain/dialects/responses/chat-request.ts';
import { isRefusal } from '../../../../schemas/errors.ts';
import { ResponsesRequest } from '../../../../schemas/responses/responses-request.ts';

const said = (more: object, earlier: readonly unknown[] = []): SaidInChat => {
  const chat = chatRequestOf(ResponsesRequest.parse({ model: 'm', ...more }), earlier);
  if (isRefusal(chat)) throw new Error(chat.message);
  return chat;
};
const messages = (input: unknown, earlier: readonly unknown[] = []): unknown => said({ input }, earlier).chat['messages'];
const unsayable = (more: object): string | undefined => said({ input: 'x', ...more }).unsayable?.param;

describe('a request of the Responses API as one of chat completions', () => {
  it('says a text, with instructions in front', () => {
    expect(said({ input: 'Hello', instructions: 'Be brief.', max_output_tokens: 20, temperature: 0.5, stream: true }).chat).to.deep.equal({
      model: 'm',
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Hello' },
      ],
      max_tokens: 20,
      temperature: 0.5,
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  it('says messages of every role and all that they can hold', () => {
    expect(
      messages([
        { role: 'developer', content: 'Rules.' },
        {
          role: 'user',
          content: [
            { type: 'input_text', text: 'Look' },
            { type: 'input_image', image_url: 'https://example.com/a.png', detail: 'original' },
            { type: 'input_file', file_data: 'data:application/pdf;base64,AA==', filename: 'a.pdf' },
            { type: 'input_audio', input_audio: { data: 'AA==', format: 'wav' } },
          ],
        },
        {
          type: 'message',
          role: 'assistant',
          id: 'msg_1',
          status: 'completed',
          content: [{ type: 'output_text', text: 'Seen.', annotations: [] }],
        },
        { role: 'assistant', content: [{ type: 'refusal', refusal: 'No.' }] },
      ]),
    ).to.deep.equal([
      { role: 'system', content: 'Rules.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Look' },
          { type: 'image_url', image_url: { url: 'https://example.com/a.png', detail: 'high' } },
          { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,AA==' } },
          { type: 'input_audio', input_audio: { data: 'AA==', format: 'wav' } },
        ],
      },
      { role: 'assistant', content: 'Seen.', refusal: 'No.' },
    ]);
  });

  it('puts the calls of a turn into one message, and what tools showed behind all of their outcomes', () => {
    const call = (id: string): object => ({ type: 'function_call', call_id: id, name: 'look', arguments: '{}' });
    const input = [
      { role: 'user', content: 'Go' },
      { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'x' },
      { role: 'assistant', content: 'Both.' },
      call('a'),
      { type: 'custom_tool_call', call_id: 'b', name: 'patch', input: 'line "1"' },
      { type: 'function_call_output', call_id: 'a', output: [{ type: 'input_image', image_url: 'data:image/png;base64,AA==' }] },
      { type: 'custom_tool_call_output', call_id: 'b', output: 'done' },
      call('c'),
      { type: 'function_call_output', call_id: 'c', output: '1' },
      { role: 'user', content: 'And?' },
    ];
    expect(messages(input)).to.deep.equal([
      { role: 'user', content: 'Go' },
      {
        role: 'assistant',
        content: 'Both.',
        tool_calls: [
          { id: 'a', type: 'function', function: { name: 'look', arguments: '{}' } },
          { id: 'b', type: 'function', function: { name: 'patch', arguments: '{"input":"line \\"1\\""}' } },
        ],
      },
      { role: 'tool', tool_call_id: 'a', content: '(An image follows in the next message.)' },
      { role: 'tool', tool_call_id: 'b', content: 'done' },
      { role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } }] },
      { role: 'assistant', content: null, tool_calls: [{ id: 'c', type: 'function', function: { name: 'look', arguments: '{}' } }] },
      { role: 'tool', tool_call_id: 'c', content: '1' },
      { role: 'user', content: 'And?' },
    ]);
  });

  it('describes tools, and how to choose among them', () => {
    const tools = [
      { type: 'function', name: 'a', parameters: { type: 'object' }, strict: true },
      { type: 'custom', name: 'b', description: 'Any text', format: { type: 'grammar', syntax: 'lark', definition: 'start: "x"' } },
    ];
    const { chat, unsayable: left } = said({ input: 'x', tools, tool_choice: { type: 'custom', name: 'b' }, parallel_tool_calls: false });
    expect(left).to.equal(null);
    expect(chat['tools']).to.have.nested.property('[0].function.strict', true);
    expect(chat['tools']).to.have.nested.property('[1].function.parameters.properties.input.description').that.contains('start: "x"');
    expect(chat).to.deep.include({ tool_choice: { type: 'function', function: { name: 'b' } }, parallel_tool_calls: false });
    const allowed = said({
      input: 'x',
      tools,
      tool_choice: { type: 'allowed_tools', mode: 'required', tools: [{ type: 'function', name: 'a' }] },
    });
    expect(allowed.chat).to.have.property('tools').with.lengthOf(1);
    expect(allowed.chat).to.have.property('tool_choice', 'required');
  });

  it('asks for a format, an effort and logprobs', () => {
    const { chat } = said({
      model: 'gpt-5',
      input: 'x',
      text: { format: { type: 'json_schema', name: 'n', schema: { type: 'object' }, strict: true }, verbosity: 'low' },
      reasoning: { effort: 'high', summary: 'auto' },
      include: ['message.output_text.logprobs'],
      max_output_tokens: 64,
    });
    expect(chat).to.deep.include({
      response_format: { type: 'json_schema', json_schema: { name: 'n', schema: { type: 'object' }, strict: true } },
      verbosity: 'low',
      reasoning_effort: 'high',
      logprobs: true,
      top_logprobs: 0,
      max_completion_tokens: 64,
    });
  });

  it('tells what it cannot say, with its place', () => {
    expect(unsayable({ tools: [{ type: 'function', name: 'a' }, { type: 'web_search' }] })).to.equal('tools.1');
    expect(unsayable({ tool_choice: { type: 'file_search' } })).to.equal('tool_choice');
    expect(unsayable({ prompt: { id: 'pmpt_1' } })).to.equal('prompt');
    expect(unsayable({ input: [{ type: 'computer_call_output', call_id: 'a', output: {} }] })).to.equal('input.0');
    expect(unsayable({ input: [{ role: 'user', content: [{ type: 'input_file', file_url: 'https://example.com' }] }] })).to.equal(
      'input.0.content.0',
    );
    expect(
      unsayable({
        input: [
          { type: 'web_search_call', id: 'ws_1' },
          { role: 'user', content: 'x' },
        ],
      }),
    ).to.equal(undefined);
  });

  it('refuses what is not as it should be, with its place', () => {
    for (const [input, param] of [
      [[], 'input'],
      [[{ role: 'user', content: [{ type: 'input_text' }] }], 'input.0.content.0.text'],
      [
        [
          { role: 'user', content: 'x' },
          { type: 'function_call', name: 'a' },
        ],
        'input.1.call_id',
      ],
      [[{ role: 'robot', content: 'x' }], 'input.0.role'],
    ] as const) {
      const refusal = chatRequestOf(ResponsesRequest.parse({ model: 'm', input }), []);
      expect(isRefusal(refusal) && refusal.param).to.equal(param);
    }
  });

  it('puts what was said earlier in front, whole or asked for again', () => {
    const turns = fc.array(
      fc.oneof(
        fc.record({ role: fc.constantFrom('user', 'assistant'), content: fc.string({ minLength: 1 }) }),
        fc.record({ type: fc.constant('function_call'), call_id: fc.constant('c'), name: fc.constant('n'), arguments: fc.string() }),
        fc.record({ type: fc.constant('function_call_output'), call_id: fc.constant('c'), output: fc.string() }),
      ),
      { minLength: 1, maxLength: 12 },
    );
    fc.assert(
      fc.property(turns, fc.nat(), (all, at) => {
        const cut = at % all.length;
        expect(messages(all.slice(cut), all.slice(0, cut))).to.deep.equal(messages(all));
      }),
    );
  });
});
