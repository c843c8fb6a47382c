import { expect } from 'chai';
import fc from 'fast-check';
import { Tiktoken } from 'js-tiktoken/lite';
import olderRanks from 'js-tiktoken/ranks/cl100k_base';
import ranks from 'js-tiktoken/ranks/o200k_base';
import { promptOf, type Countable } from '../../../domain/tokens/chat-text.ts';
import { boundContents, boundMessages } from '../../../domain/tokens/native-bound.ts';
import { promptOfContents, promptOfMessages } from '../../../domain/tokens/native-text.ts';
import { pictureTokens } from '../../../domain/tokens/picture-tokens.ts';
import { boundInput, boundPrompt } from '../../../domain/tokens/prompt-bound.ts';
import { scaledTokens, tokenizerOf, type Encoding } from '../../../domain/tokens/tokenizer.ts';
import { ChatRequest } from '../../../schemas/openai/chat-request.ts';
import { check, PROPERTY_TIMEOUT } from '../../ledger/seed.ts';

const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

const MODELS = ['gpt-4o', 'gpt-4-turbo', 'claude-opus-4-7', 'claude-sonnet-4-5', 'gemini-3-pro', 'open-mixtral-8x7b', 'qwen3-max'];
const model = fc.constantFrom(...MODELS);

const text = fc.oneof(
  fc.string({ maxLength: 60 }),
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.string({ unit: 'grapheme', maxLength: 30 }),
  fc.constantFrom('', '你好世界，', 'aaaaaaaaaaaaaaaa', '\n\n\n   \t', '🪙🪙👩‍👩‍👧‍👦', '\ud800', '<|endoftext|>', 'ẗ̴̨̛͙̙', 'ﷺ𒐫꧅'),
);
const name = fc.stringMatching(/^[a-z_]{1,12}$/);
const schema = fc.record({
  type: fc.constant('object'),
  properties: fc.dictionary(name, fc.record({ type: fc.constantFrom('string', 'integer', 'array', 'boolean'), description: text }), {
    maxKeys: 3,
  }),
});

describe('the bound of a call', () => {
  const encoders = new Map<Encoding, Tiktoken>();
  const counted = ({ texts, tokens }: Countable, of: string): number => {
    const tokenizer = tokenizerOf(of);
    const encoder = encoders.get(tokenizer.encoding) as Tiktoken;
    return texts.reduce((sum, each) => sum + scaledTokens(encoder.encode(each, [], []).length, tokenizer, Buffer.byteLength(each)), tokens);
  };

  before(() => {
    encoders.set('o200k_base', new Tiktoken(ranks));
    encoders.set('cl100k_base', new Tiktoken(olderRanks));
  });

  it('is never below what either tokeniser makes of a text', function () {
    this.timeout(PROPERTY_TIMEOUT);
    check(
      fc.property(text, (input) => {
        for (const encoder of encoders.values())
          expect(boundInput(bytesOf({ input }))).to.be.at.least(encoder.encode(input, [], []).length);
      }),
      150,
    );
  });

  it('is never below the count of a chat completion with tools, calls and pictures, for any family', function () {
    this.timeout(PROPERTY_TIMEOUT);
    const content = fc.oneof(
      text,
      fc.array(
        fc.oneof(
          text.map((each) => ({ type: 'text', text: each })),
          fc.record({
            type: fc.constant('image_url'),
            image_url: fc.record({
              url: fc.constantFrom('https://a/b.png', 'data:image/png;base64,iVBORw0KGgo='),
              detail: fc.constantFrom('low', 'high'),
            }),
          }),
          fc.record({
            type: fc.constant('input_audio'),
            input_audio: fc.record({ data: fc.base64String({ maxLength: 400 }), format: fc.constant('mp3') }),
          }),
        ),
        { maxLength: 3 },
      ),
    );
    const call = fc.record({ id: name, type: fc.constant('function'), function: fc.record({ name, arguments: text }) });
    const message = fc.oneof(
      fc.record({ role: fc.constantFrom('system', 'user', 'tool'), content }),
      fc.record({ role: fc.constant('assistant'), content: text, tool_calls: fc.array(call, { maxLength: 2 }) }),
      fc.record({ role: fc.constant('user'), name, content: text }),
    );
    const tool = fc.record({ type: fc.constant('function'), function: fc.record({ name, description: text, parameters: schema }) });
    check(
      fc.property(model, fc.array(message, { minLength: 1, maxLength: 4 }), fc.array(tool, { maxLength: 2 }), (of, messages, tools) => {
        const request = ChatRequest.parse({ model: of, messages, ...(tools.length === 0 ? {} : { tools }) });
        expect(boundPrompt(request, bytesOf(request), undefined).tokens).to.be.at.least(counted(promptOf(request, of), of));
      }),
      60,
    );
  });

  it('is never below the count of Anthropic’s messages and of Gemini’s contents', function () {
    this.timeout(PROPERTY_TIMEOUT);
    const block = fc.oneof(
      text.map((each) => ({ type: 'text', text: each })),
      text.map((each) => ({ type: 'image', source: { type: 'base64', media_type: 'image/png', data: each } })),
      text.map((each) => ({ type: 'tool_result', tool_use_id: 't', content: each })),
      text.map((each) => ({ type: 'document', title: each, source: { type: 'text', media_type: 'text/plain', data: each } })),
      text.map((each) => ({ type: 'tool_use', id: 't', name: 'f', input: { a: each } })),
    );
    const part = fc.oneof(
      text.map((each) => ({ text: each })),
      text.map((each) => ({ inlineData: { mimeType: 'image/png', data: each } })),
      text.map((each) => ({ functionResponse: { name: 'f', response: { a: each } } })),
    );
    check(
      fc.property(
        fc.array(fc.array(block, { maxLength: 3 }), { minLength: 1, maxLength: 3 }),
        fc.array(fc.array(part, { maxLength: 3 }), { minLength: 1, maxLength: 3 }),
        schema,
        fc.boolean(),
        (turns, contents, parameters, forced) => {
          const messages = {
            model: 'claude-opus-4-7',
            max_tokens: 1,
            system: 'x',
            messages: turns.map((content) => ({ role: 'user', content })),
            tools: [{ name: 'f', input_schema: parameters }],
            ...(forced ? { tool_choice: { type: 'any' } } : {}),
          };
          expect(boundMessages(messages, messages.model, bytesOf(messages), undefined).tokens).to.be.at.least(
            counted(promptOfMessages(messages, 'claude-opus-4-7'), 'claude-opus-4-7'),
          );
          const gemini = {
            contents: contents.map((parts) => ({ role: 'user', parts })),
            tools: [{ functionDeclarations: [{ name: 'f', parameters }] }],
          };
          expect(boundContents(gemini, 'gemini-2.5-pro', bytesOf(gemini), undefined).tokens).to.be.at.least(
            counted(promptOfContents(gemini, 'gemini-2.5-pro'), 'gemini-2.5-pro'),
          );
        },
      ),
      60,
    );
  });

  it('takes pictures at what the model makes of them, in every format', () => {
    const url = { type: 'url', url: 'https://a/b.png' };
    const messages = { messages: [{ role: 'user', content: [{ type: 'image', source: url }] }] };
    const contents = { contents: [{ parts: [{ inlineData: { mimeType: 'image/png', data: 'AAAA' } }] }] };
    for (const of of ['gpt-4o-mini', 'gpt-4o']) {
      const most = pictureTokens(of, { width: 768, height: 2_048 }, 'high');
      expect(boundMessages(messages, of, bytesOf(messages), undefined))
        .to.include({ pictures: 1, image: true })
        .and.have.property('tokens')
        .that.is.at.least(most);
      expect(boundContents(contents, of, bytesOf(contents), undefined).tokens).to.be.at.least(most);
    }
  });

  it('costs microseconds, whatever a prompt is like', () => {
    const request = ChatRequest.parse({ model: 'gpt-4o', messages: [{ role: 'user', content: '好'.repeat(100_000) }] });
    const bytes = bytesOf(request);
    const began = performance.now();
    for (let i = 0; i < 1_000; i++) boundPrompt(request, bytes, 128_000);
    const microseconds = performance.now() - began;
    process.stdout.write(`      a bound of 300 KB: ${microseconds.toFixed(2)} µs\n`);
    // A thousand times what it takes: only reading the text would take that long.
    expect(microseconds).to.be.lessThan(1_000);
  });
});
