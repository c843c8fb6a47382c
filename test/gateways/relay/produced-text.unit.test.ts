import { expect } from 'chai';
import fc from 'fast-check';
import type { ChunkHead, Told } from '../../../domain/dialects/chat/told.ts';
import { bytesOfTold } from '../../../gateways/relay/hub-events.ts';
import { ProducedText } from '../../../gateways/relay/produced-text.ts';

const HEAD: ChunkHead = { json: '{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[' };

const told = (choice: Readonly<Record<string, unknown>>, hasHead: boolean): Told => {
  const chunk = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [choice] as const };
  return hasHead ? { chunk, head: HEAD } : { chunk };
};

const word = fc.constantFrom('', 'rain', ' ', 'bow', '雨', '"');
const delta = fc.oneof(
  { weight: 6, arbitrary: fc.record({ content: word }) },
  fc.record({ role: fc.constant('assistant'), content: word }),
  fc.record({ reasoning_content: word }),
  fc.record({ refusal: word }),
  fc.record({ content: fc.constant(null) }),
  fc.record({ tool_calls: fc.tuple(fc.record({ index: fc.constant(0), function: fc.record({ name: word, arguments: word }) })) }),
);
const choice = fc.record({
  index: fc.constantFrom(0, 0, 0, 1),
  delta,
  logprobs: fc.constant(null),
  finish_reason: fc.constantFrom(null, null, null, null, 'stop'),
});
const pieces = fc.array(
  fc.array(
    fc.oneof(
      { weight: 9, arbitrary: fc.tuple(choice, fc.boolean()).map(([one, hasHead]) => told(one, hasHead)) },
      fc.constant<Told>('alive'),
    ),
    { minLength: 1, maxLength: 3 },
  ),
  { maxLength: 30 },
);

describe('what a stream has said', () => {
  it('is the same of what was told as of its bytes, however much is read at once', () => {
    fc.assert(
      fc.property(pieces, fc.constantFrom(0, 200, 100_000), (all, unreadBytes) => {
        const [ofTold, ofBytes] = [new ProducedText(unreadBytes, null), new ProducedText(100_000, null)];
        for (const piece of all) {
          ofTold.keep(piece);
          ofBytes.keep(bytesOfTold(piece));
        }
        expect(ofTold.countable()).to.deep.equal(ofBytes.countable());
        expect(ofTold.finished()).to.equal(ofBytes.finished());
        expect(ofTold.empty).to.equal(all.length === 0);
      }),
      { numRuns: 300 },
    );
  });

  it('is forgotten once it is known what it took', () => {
    const produced = new ProducedText(100_000, null);
    produced.keep([told({ index: 0, delta: { content: 'rain' }, logprobs: null, finish_reason: null }, true)]);
    expect(produced.countable().texts).to.deep.equal(['rain']);
    produced.forget();
    expect(produced.countable().texts).to.deep.equal([]);
    expect(produced.empty).to.equal(false);
  });
});
