import { expect } from 'chai';
import { CompletionChunks } from '../../../../domain/dialects/anthropic/completion-chunks.ts';
import { completionOf } from '../../../../domain/dialects/anthropic/completion.ts';
import { EventTranslation } from '../../../../gateways/relay/upstreams/event-translation.ts';
import { anthropicEvents, anthropicMessage } from '../../../support/fake-upstream/anthropic-mock.ts';
import { chunksOf, expectEverySplitTellsTheSame } from './every-split.ts';

const translation = (): EventTranslation => new EventTranslation(new CompletionChunks(1), 1024 * 1024);

const ASKED = { model: 'claude', messages: [{ role: 'user', content: 'Grüße ☀' }] };
const MESSAGES = {
  text: anthropicMessage(ASKED),
  calls: anthropicMessage({ ...ASKED, tools: [{ name: 'look' }], thinking: { type: 'adaptive' } }),
};

interface Chunk {
  readonly choices: readonly { readonly delta: Record<string, unknown>; readonly finish_reason: string | null }[];
  readonly usage?: unknown;
}

const joined = (chunks: readonly unknown[], name: string): string =>
  (chunks as readonly Chunk[])
    .map(({ choices }) => choices[0]?.delta[name])
    .filter((text) => typeof text === 'string')
    .join('');

describe('a stream of Anthropic’s as one of OpenAI’s', () => {
  for (const [what, message] of Object.entries(MESSAGES)) {
    const stream = anthropicEvents(message).join('');

    it(`is told in the same words however it is cut (${what})`, () => {
      expectEverySplitTellsTheSame(stream, translation);
      expectEverySplitTellsTheSame(stream.replaceAll('\n', '\r\n'), translation);
    });

    it(`says what the whole message says (${what})`, () => {
      const chunks = chunksOf(translation(), stream);
      const whole = completionOf(message, 1) as unknown as {
        choices: { message: Record<string, unknown>; finish_reason: string }[];
        usage: unknown;
      };
      const said = whole.choices[0]?.message;
      expect(joined(chunks, 'content')).to.equal(said?.['content']);
      expect(joined(chunks, 'reasoning_content')).to.equal(said?.['reasoning_content'] ?? '');
      const last = chunks.at(-1) as Chunk;
      expect(last.choices).to.deep.equal([]);
      expect(last.usage).to.deep.equal(whole.usage);
      expect((chunks.at(-2) as Chunk).choices[0]?.finish_reason).to.equal(whole.choices[0]?.finish_reason);
      const details = (chunks as readonly Chunk[]).flatMap(({ choices }) => choices[0]?.delta['reasoning_details'] ?? []);
      expect(details).to.deep.equal(said?.['reasoning_details'] ?? []);
    });
  }

  const START = { type: 'message_start', message: { id: 'msg_1', model: 'c', content: [], usage: { input_tokens: 5, output_tokens: 1 } } };
  const chunks = (...events: readonly object[]): readonly unknown[] =>
    chunksOf(translation(), events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(''));

  it('keeps calls of the same tool apart, and gives one without arguments an empty object', () => {
    const said = chunks(
      START,
      { type: 'content_block_start', index: 0, content_block: { type: 'tool_use', id: 'a', name: 'look', input: {} } },
      { type: 'content_block_stop', index: 0 },
      { type: 'content_block_start', index: 1, content_block: { type: 'tool_use', id: 'b', name: 'look', input: {} } },
      { type: 'content_block_delta', index: 1, delta: { type: 'input_json_delta', partial_json: '{"a":1}' } },
      { type: 'content_block_stop', index: 1 },
    ) as readonly { choices: { delta: { tool_calls?: { index: number; function: { arguments: string } }[] } }[] }[];
    const pieces = said.flatMap(({ choices }) => choices[0]?.delta.tool_calls ?? []);
    expect(pieces.map(({ index, function: { arguments: text } }) => [index, text])).to.deep.equal([
      [0, ''],
      [0, '{}'],
      [1, ''],
      [1, '{"a":1}'],
    ]);
  });

  it('does not take the usage of a stream that was cut off for its usage', () => {
    expect(chunks(START).some((chunk) => 'usage' in (chunk as object))).to.equal(false);
  });

  it('tells usage where a stream says why it ended and not that it did', () => {
    const said = chunks(START, { type: 'message_delta', delta: { stop_reason: 'refusal' }, usage: { output_tokens: 3 } });
    expect(said.at(-1)).to.have.property('usage').that.deep.includes({ prompt_tokens: 5, completion_tokens: 3 });
  });

  it('hands on a count that cannot be, for whoever reads it to see', () => {
    const said = chunks(START, { type: 'message_delta', delta: {}, usage: { input_tokens: -4, output_tokens: 3 } });
    expect(said.at(-1)).to.have.property('usage').that.deep.includes({ prompt_tokens: -4 });
  });
});
