import { expect } from 'chai';
import fc from 'fast-check';
import { ResponseStream, wholeResponse, type ResponseEvent } from '../../../../domain/dialects/responses/response-stream.ts';
import { chatRequestOf } from '../../../../domain/dialects/responses/chat-request.ts';
import { ownRequest } from '../../../../domain/dialects/responses/response-events.ts';
import type { ResponseState } from '../../../../domain/dialects/responses/response.ts';
import { responseUsage } from '../../../../domain/dialects/responses/usage.ts';
import { ResponsesRequest } from '../../../../schemas/responses/responses-request.ts';

const IDENTITY = { idBody: 'B', model: 'm', createdAt: 1 };
const USAGE = responseUsage({ input: 3, cachedInput: 2, output: 4, reasoning: 1 });
const REQUEST = ResponsesRequest.parse({ model: 'm', input: 'x', tools: [{ type: 'custom', name: 'patch' }] });

const chunk = (delta: object, finish: string | null = null): object => ({ choices: [{ index: 0, delta, finish_reason: finish }] });
const call = (index: number, text: string, name?: string): object =>
  chunk({
    tool_calls: [
      {
        index,
        ...(name === undefined ? {} : { id: `call_${index}` }),
        function: { ...(name === undefined ? {} : { name }), arguments: text },
      },
    ],
  });

const run = (chunks: readonly unknown[]): { readonly events: readonly ResponseEvent[]; readonly state: ResponseState } => {
  const stream = new ResponseStream(REQUEST, IDENTITY, false);
  const events = chunks.flatMap((one) => stream.push(one));
  const { events: closing, state } = stream.end(USAGE, 2);
  return { events: [...events, ...closing, stream.last(state, true)], state };
};

type Json = Record<string, unknown>;
interface Built extends Json {
  content?: Json[];
  summary?: Json[];
  arguments?: string;
  input?: string;
}

/** Reads events as OpenAI's clients do, and throws where those would: the answer that the deltas add up to. */
const added = (events: readonly ResponseEvent[]): readonly Built[] => {
  const items: Built[] = [];
  const isOver: boolean[] = [];
  for (const [at, event] of events.entries()) {
    if (event.sequence_number !== at) throw new Error(`event ${at} has the number ${event.sequence_number}`);
    if ((event.type === 'response.created') !== (at === 0)) throw new Error('a response is created once, first');
    const index = event['output_index'] as number;
    const item = items[index];
    if (index !== undefined && event.type !== 'response.output_item.added') {
      if (item === undefined || isOver[index] === true) throw new Error(`${event.type} of an item that is not open`);
      if ('item_id' in event && event['item_id'] !== item['id']) throw new Error('the wrong id');
    }
    const part = item?.content?.[event['content_index'] as number];
    switch (event.type) {
      case 'response.output_item.added':
        if (index !== items.length) throw new Error('items begin in the order of their places');
        items.push(structuredClone(event['item']) as Built);
        break;
      case 'response.content_part.added':
        if (event['content_index'] !== item?.content?.length) throw new Error('parts begin in the order of their places');
        item?.content?.push(structuredClone(event['part']) as Json);
        break;
      case 'response.output_text.delta':
        if (part === undefined) throw new Error('no such part');
        part['text'] = String(part['text']) + String(event['delta']);
        (part['logprobs'] as unknown[]).push(...(event['logprobs'] as unknown[]));
        break;
      case 'response.output_text.annotation.added':
        (part?.['annotations'] as unknown[]).push(event['annotation']);
        break;
      case 'response.refusal.delta':
        if (part === undefined) throw new Error('no such part');
        part['refusal'] = String(part['refusal']) + String(event['delta']);
        break;
      case 'response.content_part.done':
        expect(part).to.deep.equal(event['part']);
        break;
      case 'response.reasoning_summary_part.added':
        item?.summary?.push(structuredClone(event['part']) as Json);
        break;
      case 'response.reasoning_summary_text.delta': {
        const summary = item?.summary?.[0];
        if (summary === undefined) throw new Error('no such summary');
        summary['text'] = String(summary['text']) + String(event['delta']);
        break;
      }
      case 'response.function_call_arguments.delta':
        (item as Built).arguments += String(event['delta']);
        break;
      case 'response.custom_tool_call_input.delta':
        (item as Built).input += String(event['delta']);
        break;
      case 'response.output_item.done': {
        const { status: _status, ...done } = event['item'] as Json;
        const { status: _begun, ...built } = item as Json;
        expect(built).to.deep.equal(done);
        items[index] = event['item'] as Built;
        isOver[index] = true;
      }
    }
  }
  if (items.some((_, index) => isOver[index] !== true)) throw new Error('an item does not end');
  return items;
};

describe('a stream of chat completions as one of the Responses API', () => {
  it('says a text with its whole life cycle', () => {
    const { events } = run([
      chunk({ role: 'assistant', content: '' }),
      chunk({ content: 'Hel' }),
      chunk({ content: 'lo' }),
      chunk({}, 'stop'),
    ]);
    expect(events.map(({ type }) => type.replace('response.', ''))).to.deep.equal([
      'created',
      'in_progress',
      'output_item.added',
      'content_part.added',
      'output_text.delta',
      'output_text.delta',
      'output_text.done',
      'content_part.done',
      'output_item.done',
      'completed',
    ]);
    expect(events.at(-1)?.['response']).to.deep.include({
      id: 'resp_B',
      status: 'completed',
      store: true,
      completed_at: 2,
      output: [
        {
          id: 'msg_B-0',
          type: 'message',
          status: 'completed',
          role: 'assistant',
          content: [{ type: 'output_text', text: 'Hello', annotations: [], logprobs: [] }],
        },
      ],
      usage: {
        input_tokens: 5,
        input_tokens_details: { cached_tokens: 2, cache_write_tokens: 0 },
        output_tokens: 5,
        output_tokens_details: { reasoning_tokens: 1 },
        total_tokens: 10,
      },
    });
  });

  it('says thoughts, calls that come back, and tools that take any text', () => {
    const { events, state } = run([
      chunk({ reasoning_content: 'Hm.' }),
      call(0, '{"a"', 'look'),
      call(1, '{"input":"line', 'patch'),
      call(0, ':1}'),
      call(1, ' 1\\n"}'),
      chunk({ content: 'Done.' }),
      chunk({}, 'tool_calls'),
    ]);
    expect(added(events)).to.deep.equal(state.output);
    expect(state.output).to.deep.equal([
      { id: 'rs_B-0', type: 'reasoning', summary: [{ type: 'summary_text', text: 'Hm.' }] },
      { id: 'fc_B-1', type: 'function_call', status: 'completed', call_id: 'call_0', name: 'look', arguments: '{"a":1}' },
      { id: 'ctc_B-2', type: 'custom_tool_call', status: 'completed', call_id: 'call_1', name: 'patch', input: 'line 1\n' },
      {
        id: 'msg_B-3',
        type: 'message',
        status: 'completed',
        role: 'assistant',
        content: [{ type: 'output_text', text: 'Done.', annotations: [], logprobs: [] }],
      },
    ]);
  });

  it('seals what a provider wants back with its thoughts, and tells it again', () => {
    const signed = { type: 'reasoning.text', text: 'Hm.', signature: 'sig', format: 'f', index: 0 };
    const hidden = { type: 'reasoning.encrypted', data: 'x', format: 'f', index: 0 };
    const { state, events } = run([
      chunk({ reasoning_content: 'Hm.' }),
      chunk({ reasoning_details: [signed] }),
      chunk({ content: 'Look.' }),
      chunk({ reasoning_details: [hidden] }),
      chunk({ content: ' Here.' }),
      call(0, '{}', 'look'),
    ]);
    expect(state.output.map(({ type }) => type)).to.deep.equal(['reasoning', 'message', 'function_call', 'reasoning']);
    expect(events.map(({ sequence_number: number }) => number)).to.deep.equal(events.map((_, at) => at));
    const request = ResponsesRequest.parse({
      model: 'm',
      input: [...state.output, { type: 'function_call_output', call_id: 'call_0', output: 'x' }],
    });
    const again = chatRequestOf(request, []);
    expect(again)
      .to.have.nested.property('chat.messages[0]')
      .that.deep.includes({
        content: 'Look. Here.',
        reasoning_details: [signed, { ...hidden, index: 1 }],
      });
    expect(ownRequest(request, [], request.input)['input']).to.have.length(3);
  });

  it('names the reason for its end', () => {
    for (const [reason, status, why] of [
      ['stop', 'completed', null],
      ['length', 'incomplete', 'max_output_tokens'],
      ['content_filter', 'incomplete', 'content_filter'],
      ['insufficient_system_resource', 'completed', null],
    ] as const) {
      const { state, events } = run([chunk({ content: 'x' }, reason)]);
      expect(state).to.deep.include({ status, incomplete: why });
      expect(events.at(-1)?.type).to.equal(`response.${status}`);
    }
  });

  it('ends an answer that broke off with an error, and with what there was of it', () => {
    const stream = new ResponseStream(REQUEST, IDENTITY, false);
    const events = [...stream.push(chunk({ content: 'Hel' }))];
    const { events: closing, state } = stream.fail({ code: 'upstream_failed', message: 'Gone.' }, 2);
    const all = [...events, ...closing, stream.last(state, false)];
    expect(all.map(({ sequence_number: number }) => number)).to.deep.equal(all.map((_, at) => at));
    expect(all.slice(-2).map(({ type }) => type)).to.deep.equal(['error', 'response.failed']);
    expect(all.at(-1)?.['response']).to.deep.include({ status: 'failed', error: { code: 'server_error', message: 'Gone.' } });
  });

  it('takes nothing that it does not understand for an answer', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue(), { maxLength: 8 }), (chunks) => {
        added(run(chunks).events);
      }),
    );
  });

  const piece = fc.oneof(
    fc.record({ kind: fc.constant('content' as const), text: fc.string({ minLength: 1, maxLength: 6 }) }),
    fc.record({ kind: fc.constant('reasoning_content' as const), text: fc.string({ minLength: 1, maxLength: 6 }) }),
    fc.record({ kind: fc.constant('refusal' as const), text: fc.string({ minLength: 1, maxLength: 6 }) }),
    fc.record({ kind: fc.constant('call' as const), index: fc.nat(3), text: fc.string({ maxLength: 6 }) }),
  );
  const chunksOf = (pieces: readonly (typeof piece extends fc.Arbitrary<infer P> ? P : never)[]): readonly object[] => {
    const named = new Set<number>();
    return pieces.map((one) => {
      if (one.kind !== 'call') return chunk({ [one.kind]: one.text });
      const isNew = !named.has(one.index);
      named.add(one.index);
      return call(one.index, one.text, isNew ? (one.index === 3 ? 'patch' : `tool-${one.index}`) : undefined);
    });
  };

  it('adds up to the last response, whatever comes in whatever order; nothing is lost', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const { events, state } = run(chunksOf(pieces));
        expect(added(events)).to.deep.equal(state.output);
        expect((events.at(-1)?.['response'] as Json)['output']).to.deep.equal(state.output);
        const meant = (kind: string): string =>
          pieces
            .filter((one) => one.kind === kind)
            .map(({ text }) => text)
            .join('');
        const texts = (type: string, member: string): string =>
          (state.output as readonly Built[])
            .flatMap((item) => item.content ?? [])
            .filter((part) => part['type'] === type)
            .map((part) => String(part[member]))
            .join('');
        expect(texts('output_text', 'text')).to.equal(meant('content'));
        expect(texts('refusal', 'refusal')).to.equal(meant('refusal'));
        for (const index of [0, 1, 2]) {
          const wanted = pieces.flatMap((one) => (one.kind === 'call' && one.index === index ? [one.text] : []));
          const made = (state.output as readonly Built[]).find((item) => item['name'] === `tool-${index}`);
          expect(made?.arguments ?? null).to.equal(wanted.length === 0 ? null : wanted.join(''));
        }
      }),
    );
  });

  it('gives the same answer for a whole completion as for its stream', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.array(fc.string(), { maxLength: 3 }), (thought, text, calls) => {
        const toolCalls = calls.map((args, index) => ({
          id: `call_${index}`,
          type: 'function',
          function: { name: `tool-${index}`, arguments: args },
        }));
        const message = { reasoning_content: thought, content: text, tool_calls: toolCalls };
        const whole = wholeResponse({ choices: [{ index: 0, message, finish_reason: 'stop' }] }, REQUEST, IDENTITY, USAGE, 2);
        const streamed = run([
          ...[...thought].map((one) => chunk({ reasoning_content: one })),
          ...[...text].map((one) => chunk({ content: one })),
          ...toolCalls.map((one, index) => chunk({ tool_calls: [{ ...one, index }] })),
          chunk({}, 'stop'),
        ]);
        expect(whole).to.deep.equal(streamed.state);
      }),
    );
  });
});
