import { expect } from 'chai';
import { EventTranslation } from '../../../../gateways/relay/upstreams/event-translation.ts';
import { toldOfEvents } from '../../../../gateways/relay/upstreams/told-whole.ts';
import { chunksOf, expectEverySplitTellsTheSame } from './every-split.ts';
import { SIGNED_STREAMS } from './signed-streams.ts';

interface Chunk {
  readonly choices: readonly { readonly delta: { readonly content?: string }; readonly finish_reason: string | null }[];
  readonly usage?: object;
}

for (const [name, { teller, named = false, stream, usage }] of Object.entries(SIGNED_STREAMS))
  describe(`streams of ${name}`, () => {
    const translation = (): EventTranslation => new EventTranslation(teller(), 1024 * 1024, named);

    it('say what was said, why it ended and what it took', () => {
      const chunks = chunksOf(translation(), stream) as readonly Chunk[];
      expect(chunks.flatMap(({ choices }) => choices.map(({ delta }) => delta.content ?? '')).join('')).to.equal('Grüße ☀');
      expect(
        chunks.flatMap(({ choices }) => choices.map((choice) => choice.finish_reason)).filter((reason) => reason !== null),
      ).to.deep.equal(['stop']);
      expect(chunks.at(-1)?.usage).to.deep.equal(usage);
    });

    it('are told in the same words wherever they are cut', () => expectEverySplitTellsTheSame(stream, translation, 3));

    it('are whole answers when they are read to their end, and none before', () => {
      const whole = toldOfEvents(teller(), Buffer.from(stream), named);
      expect(whole).to.have.nested.property('choices[0].message.content', 'Grüße ☀');
      expect(whole).to.have.nested.property('choices[0].finish_reason', 'stop');
      const half = stream.slice(0, stream.indexOf('☀'));
      expect(toldOfEvents(teller(), Buffer.from(half), named)).to.equal(null);
    });

    it('say nothing that is none of theirs', () => {
      for (const odd of [null, 1, 'x', [], {}, { event: {}, data: [] }, { output: 3 }, { Response: [] }, { choices: {} }])
        expect(() => teller().push(odd)).not.to.throw();
    });
  });
