import { expect } from 'chai';
import fc from 'fast-check';
import { bytesOf } from '../../../../gateways/relay/hub-events.ts';
import { GARBLED, type StreamTranslation } from '../../../../gateways/relay/upstreams/translated-answer.ts';

const told = (translation: StreamTranslation, pieces: readonly Buffer[]): string => {
  let text = '';
  for (const piece of pieces) {
    const events = translation.push(piece);
    if (events === GARBLED) throw new Error('garbled');
    text += bytesOf(events).toString('utf8');
  }
  return text + bytesOf(translation.end()).toString('utf8');
};

/** Fails unless a stream is told in the same words however its bytes were cut: at each single place (or every so many), and at many at once. */
export const expectEverySplitTellsTheSame = (stream: string, translation: () => StreamTranslation, every = 1): void => {
  const bytes = Buffer.from(stream);
  const whole = told(translation(), [bytes]);
  for (let at = 1; at < bytes.length; at += every)
    expect(told(translation(), [bytes.subarray(0, at), bytes.subarray(at)]), `cut at ${at}`).to.equal(whole);
  expect(
    told(
      translation(),
      [...bytes].map((byte) => Buffer.from([byte])),
    ),
  ).to.equal(whole);
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length), { maxLength: 12 }), (cuts) => {
      const places = [0, ...cuts.sort((a, b) => a - b), bytes.length];
      const pieces = places.slice(1).map((end, index) => bytes.subarray(places[index], end));
      expect(told(translation(), pieces)).to.equal(whole);
    }),
    { numRuns: 50 },
  );
};

/** The chunks of a stream in the hub's form. */
export const chunksOf = (translation: StreamTranslation, stream: string): readonly unknown[] =>
  told(translation, [Buffer.from(stream)])
    .split('\n\n')
    .filter((event) => event.startsWith('data: ') && !event.includes('[DONE]'))
    .map((event) => JSON.parse(event.slice('data: '.length)) as unknown);
