import { expect } from 'chai';
import fc from 'fast-check';
import { Tiktoken } from 'js-tiktoken/lite';
import ranks from 'js-tiktoken/ranks/o200k_base';
import { approximateTokens } from '../../../domain/tokens/approximate.ts';
import { inputOf, producedBy, promptOf } from '../../../domain/tokens/chat-text.ts';
import { boundInput, boundPrompt } from '../../../domain/tokens/prompt-bound.ts';
import { ChatRequest } from '../../../schemas/openai/chat-request.ts';
import { Produced } from '../../../schemas/openai/chat-answer.ts';
import { EmbeddingsRequest } from '../../../schemas/openai/embeddings-request.ts';
import { check, PROPERTY_TIMEOUT } from '../../ledger/seed.ts';

const chat = (messages: readonly unknown[], more: object = {}): ChatRequest => ChatRequest.parse({ model: 'm', messages, ...more });
const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));
const bound = (request: ChatRequest, context?: number) => boundPrompt(request, bytesOf(request), context);

describe('the bound of a prompt', () => {
  it('is never below what the tokeniser counts', function () {
    this.timeout(PROPERTY_TIMEOUT);
    const encoder = new Tiktoken(ranks);
    const text = fc.oneof(
      fc.string({ maxLength: 60 }),
      fc.string({ unit: 'binary', maxLength: 30 }),
      fc.string({ unit: 'grapheme', maxLength: 30 }),
      fc.constantFrom('你好世界', 'aaaaaaaa', '\n\n\n', '🪙🪙'),
    );
    const message = fc.record({
      role: fc.constantFrom('system', 'user', 'assistant'),
      content: fc.oneof(
        text,
        fc.array(
          text.map((each) => ({ type: 'text', text: each })),
          { maxLength: 3 },
        ),
      ),
    });
    check(
      fc.property(fc.array(message, { minLength: 1, maxLength: 5 }), (messages) => {
        const request = chat(messages);
        const { texts, tokens } = promptOf(request, 'gpt-4o');
        const counted = tokens + texts.reduce((sum, each) => sum + encoder.encode(each, [], []).length, 0);
        expect(bound(request).tokens).to.be.at.least(counted);
      }),
      60,
    );
  });

  it('reckons media by their own rules, not by the length of their base64', () => {
    const image = (url: string) => chat([{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }]);
    const inline = bound(image(`data:image/png;base64,${'A'.repeat(2_000_000)}`));
    const linked = bound(image('https://example.org/cat.png'));
    expect(inline.tokens).to.be.within(16_384, 17_000);
    expect(linked.tokens).to.be.within(16_384, 17_000);
    expect([inline.image, inline.audio]).to.deep.equal([true, false]);
    const audio = bound(
      chat([{ role: 'user', content: [{ type: 'input_audio', input_audio: { data: 'A'.repeat(64_000), format: 'wav' } }] }]),
    );
    expect(audio.tokens).to.be.within(2_000, 2_200);
    expect(audio.audio).to.equal(true);
  });

  it('is the whole context where something lies elsewhere, and never more than that', () => {
    const file = chat([{ role: 'user', content: [{ type: 'file', file: { file_id: 'file-1' } }] }]);
    expect(bound(file, 128_000).tokens).to.equal(128_000);
    expect(bound(file).tokens).to.equal(1_000_000);
    expect(bound(chat([{ role: 'user', content: 'x'.repeat(10_000) }]), 4_096).tokens).to.equal(4_096);
  });

  it('leaves room for what providers put around tools', () => {
    const plain = chat([{ role: 'user', content: 'x' }]);
    const withTools = chat([{ role: 'user', content: 'x' }], { tools: [] });
    expect(bound(withTools).tokens - bound(plain).tokens).to.be.at.least(1_024);
  });

  it('takes messages of any shape', () => {
    check(
      fc.property(fc.array(fc.anything(), { minLength: 1, maxLength: 4 }), (messages) => {
        const request = { model: 'm', messages } as unknown as ChatRequest;
        expect(boundPrompt(request, 100, undefined).tokens).to.be.greaterThan(0);
        promptOf(request, 'gpt-4o');
      }),
    );
  });

  it('covers embeddings of text and of tokens', () => {
    const body = { model: 'm', input: [[1, 22, 333], [4]] };
    expect(boundInput(bytesOf(body))).to.be.at.least(inputOf(EmbeddingsRequest.parse(body)).tokens);
    expect(inputOf(EmbeddingsRequest.parse(body)).tokens).to.equal(4);
    expect(inputOf(EmbeddingsRequest.parse({ model: 'm', input: ['a', 'b'] })).texts).to.deep.equal(['a', 'b']);
    expect(inputOf(EmbeddingsRequest.parse({ model: 'm', input: [1, 2, 3] })).tokens).to.equal(3);
  });
});

describe('what is counted', () => {
  it('of a prompt: texts, names, calls, and the frame around them', () => {
    const { texts, tokens } = promptOf(
      chat([
        {
          role: 'user',
          name: 'ada',
          content: [
            { type: 'text', text: 'look' },
            { type: 'image_url', image_url: { url: 'u' } },
          ],
        },
        { role: 'assistant', content: null, tool_calls: [{ id: '1', function: { name: 'f', arguments: '{}' } }] },
      ]),
      'gpt-4o',
    );
    expect(texts).to.deep.equal(['look', 'user', 'ada', 'f', '{}', 'assistant']);
    expect(tokens).to.equal(3 + 3 + 765 + 1 + 3 + 3);
  });

  it('of an answer: content, refusal, reasoning and calls', () => {
    const texts: string[] = [];
    producedBy(
      Produced.parse({
        content: 'a',
        refusal: 'b',
        reasoning_content: 'c',
        tool_calls: [{ function: { name: 'd', arguments: 'e' } }, { custom: { name: 'f', input: 'g' } }],
        function_call: { name: 'h', arguments: 'i' },
      }),
      texts,
    );
    expect(texts.toSorted()).to.deep.equal([...'abcdefghi']);
  });

  it('by length, where it comes to that', () => {
    expect(approximateTokens('')).to.equal(0);
    expect(approximateTokens('word word word!!')).to.equal(4);
    expect(approximateTokens('你好')).to.equal(2);
  });
});
