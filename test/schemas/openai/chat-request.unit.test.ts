import { expect } from 'chai';
import fc from 'fast-check';
import { ChatRequest, isPlainChat } from '../../../schemas/openai/chat-request.ts';

const anything = fc.oneof(fc.boolean(), fc.constant(null), fc.double(), fc.integer(), fc.string(), fc.array(fc.string()), fc.object());

const mostly = <Value>(usual: fc.Arbitrary<Value>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 8, arbitrary: usual }, { weight: 1, arbitrary: anything });

const limit = mostly(fc.oneof(fc.integer({ min: -1, max: 10_000_001 }), fc.constantFrom(0, 10_000_000, 1.5)));

const requests = fc.record(
  {
    model: mostly(fc.oneof(fc.string({ maxLength: 3 }), fc.constantFrom('m'.repeat(200), 'm'.repeat(201)))),
    messages: mostly(fc.array(fc.record({ role: fc.string(), content: fc.string() }), { maxLength: 2 })),
    stream: mostly(fc.boolean()),
    stream_options: fc.oneof(anything, fc.record({ include_usage: anything })),
    max_tokens: limit,
    max_completion_tokens: limit,
    n: anything,
    modalities: anything,
    service_tier: anything,
    temperature: anything,
    ['__proto__']: anything,
  },
  { requiredKeys: ['model', 'messages'] },
);

/** As the relay meets it. */
const said = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('a request for a chat', () => {
  it('that is plain is one by the schema, and the same', () => {
    fc.assert(
      fc.property(requests, (request) => {
        const value = said(request);
        if (!isPlainChat(value)) return;
        const parsed = ChatRequest.safeParse(value);
        expect(parsed.success).to.equal(true);
        expect(parsed.data).to.deep.equal(value);
      }),
      { numRuns: 2_000 },
    );
  });

  it('is plain as nearly all clients send it', () => {
    const messages = [{ role: 'user', content: 'hello' }];
    expect(isPlainChat({ model: 'm', messages })).to.equal(true);
    expect(isPlainChat({ model: 'm', messages, stream: true, max_tokens: 1, temperature: 0.7 })).to.equal(true);
    expect(isPlainChat({ model: 'm', messages: [] })).to.equal(false);
    expect(isPlainChat({ model: 'm', messages, n: 2 })).to.equal(false);
    expect(isPlainChat(said(JSON.parse('{"model":"m","messages":[1],"__proto__":{}}')))).to.equal(false);
  });
});
