import { expect } from 'chai';
import fc from 'fast-check';
import { MessageStream, type MessageEvent } from '../../../../domain/dialects/anthropic/message-stream.ts';

const IDENTITY = { id: 'msg_1', model: 'm' };
const USAGE = { input_tokens: 3, cache_creation_input_tokens: 0, cache_read_input_tokens: 1, output_tokens: 5 };

const chunk = (delta: object, finish: string | null = null): object => ({ choices: [{ index: 0, delta, finish_reason: finish }] });

const run = (chunks: readonly unknown[]): readonly MessageEvent[] => {
  const stream = new MessageStream(IDENTITY);
  return [...chunks.flatMap((one) => stream.push(one)), ...stream.end(USAGE)];
};

interface Block {
  readonly type: string;
  text: string;
  readonly name?: string;
  readonly id?: string;
}

/** Reads events as Anthropic's clients do: a block is pushed when it starts and its deltas go to its index. Throws where they would be lost. */
const blocksOf = (events: readonly MessageEvent[]): readonly Block[] => {
  const blocks: Block[] = [];
  let open: number | null = null;
  for (const [at, event] of events.entries()) {
    if ((event.type === 'message_start') !== (at === 0)) throw new Error('a message starts once, first');
    if ((event.type === 'message_stop') !== (at === events.length - 1)) throw new Error('a message stops once, last');
    const index = event['index'] as number;
    if (event.type === 'content_block_start') {
      if (open !== null || index !== blocks.length) throw new Error('blocks follow each other');
      const { type, name, id } = event['content_block'] as Block;
      blocks.push({ type, text: '', ...(name === undefined ? {} : { name, id: String(id) }) });
      open = index;
    } else if (event.type === 'content_block_delta') {
      if (index !== open) throw new Error('a delta of a block that is not open');
      const delta = event['delta'] as Record<string, string>;
      (blocks[index] as Block).text += delta['text'] ?? delta['thinking'] ?? delta['partial_json'] ?? '';
    } else if (event.type === 'content_block_stop') {
      if (index !== open) throw new Error('the end of a block that is not open');
      open = null;
    }
  }
  if (open !== null) throw new Error('a block does not end');
  return blocks;
};

describe('a stream of OpenAI’s as one of Anthropic’s', () => {
  it('says thoughts, a text and a call, one block after another', () => {
    const events = run([
      chunk({ role: 'assistant', content: '' }),
      chunk({ reasoning_content: 'Hm' }),
      chunk({ reasoning_content: 'm.' }),
      chunk({ content: 'Let me ' }),
      chunk({ content: 'look.' }),
      chunk({ tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: { name: 'look', arguments: '' } }] }),
      chunk({ tool_calls: [{ index: 0, function: { arguments: '{"at":' } }] }),
      chunk({ tool_calls: [{ index: 0, function: { arguments: '1}' } }] }),
      chunk({}, 'tool_calls'),
      { choices: [], usage: {} },
    ]);
    expect(blocksOf(events)).to.deep.equal([
      { type: 'thinking', text: 'Hmm.' },
      { type: 'text', text: 'Let me look.' },
      { type: 'tool_use', text: '{"at":1}', name: 'look', id: 'call_1' },
    ]);
    expect(events.at(-2)).to.deep.include({ type: 'message_delta', usage: USAGE });
    expect(events.at(-2)?.['delta']).to.deep.equal({ stop_reason: 'tool_use', stop_sequence: null });
  });

  it('ends a thought with its signature, where it is one of Anthropic’s', () => {
    const detail = (more: object): object => chunk({ reasoning_details: [{ format: 'anthropic-claude-v1', ...more }] });
    const events = run([
      chunk({ reasoning_content: 'Hm.' }),
      detail({ type: 'reasoning.text', text: 'Hm.', signature: 'sig' }),
      detail({ type: 'reasoning.encrypted', data: 'xyz' }),
      detail({ type: 'reasoning.text', text: 'Hm.', signature: 'other', format: 'google-gemini-v1' }),
      chunk({ content: 'Yes.' }),
    ]);
    expect(blocksOf(events).map(({ type, text }) => [type, text])).to.deep.equal([
      ['thinking', 'Hm.'],
      ['redacted_thinking', ''],
      ['text', 'Yes.'],
    ]);
    expect(
      events.map(({ delta }) => (delta as { signature?: string } | undefined)?.signature).filter((one) => one !== undefined),
    ).to.deep.equal(['sig']);
    expect(
      events.find(({ content_block: block }) => (block as { type?: string } | undefined)?.type === 'redacted_thinking'),
    ).to.deep.include({
      content_block: { type: 'redacted_thinking', data: 'xyz' },
    });
  });

  it('is a whole message even when nothing is said', () => {
    expect(run([]).map(({ type }) => type)).to.deep.equal(['message_start', 'message_delta', 'message_stop']);
  });

  it('names the reason for its end', () => {
    for (const [reason, named] of [
      ['stop', 'end_turn'],
      ['length', 'max_tokens'],
      ['content_filter', 'refusal'],
      ['insufficient_system_resource', 'end_turn'],
    ] as const) {
      expect(run([chunk({ content: 'x' }, reason)]).at(-2)?.['delta']).to.deep.include({ stop_reason: named });
    }
  });

  it('takes nothing that it does not understand for an answer', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue(), { maxLength: 8 }), (chunks) => {
        blocksOf(run(chunks));
      }),
    );
  });

  it('loses no piece of any text or call, in whatever order pieces come and however they are cut', () => {
    const piece = fc.oneof(
      fc.record({ kind: fc.constant('text' as const), text: fc.string({ minLength: 1, maxLength: 6 }) }),
      fc.record({ kind: fc.constant('thinking' as const), text: fc.string({ minLength: 1, maxLength: 6 }) }),
      fc.record({ kind: fc.constant('call' as const), call: fc.nat(3), text: fc.string({ maxLength: 6 }) }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const named = new Set<number>();
        const chunks = pieces.map((one) => {
          if (one.kind === 'text') return chunk({ content: one.text });
          if (one.kind === 'thinking') return chunk({ reasoning_content: one.text });
          const first = !named.has(one.call);
          named.add(one.call);
          const start = first ? { id: `call_${one.call}`, type: 'function' } : {};
          return chunk({
            tool_calls: [{ index: one.call, ...start, function: { ...(first ? { name: `tool-${one.call}` } : {}), arguments: one.text } }],
          });
        });
        const blocks = blocksOf(run(chunks));
        const said = (type: string): string =>
          blocks
            .filter((block) => block.type === type)
            .map(({ text }) => text)
            .join('');
        const meant = (kind: string): string =>
          pieces
            .filter((one) => one.kind === kind)
            .map(({ text }) => text)
            .join('');
        expect(said('text')).to.equal(meant('text'));
        expect(said('thinking')).to.equal(meant('thinking'));
        for (const call of named) {
          const own = blocks.filter(({ id }) => id === `call_${call}`);
          expect(own).to.have.length(1);
          expect(own[0]).to.deep.include({
            name: `tool-${call}`,
            text: pieces.flatMap((one) => (one.kind === 'call' && one.call === call ? [one.text] : [])).join(''),
          });
        }
        expect(blocks.filter(({ type }) => type === 'tool_use')).to.have.length(named.size);
      }),
    );
  });
});
