import { expect } from 'chai';
import fc from 'fast-check';
import { isRejection, prepareAppend } from '../../../infra/event-log/prepare-append.ts';
import { LOG_LIMITS } from '../../../schemas/log-limits.ts';
import { appendTo, newEvent, newEvents } from '../../support/log-events.ts';

const reasonOf = (append: Parameters<typeof prepareAppend>[0]): string => {
  const prepared = prepareAppend(append);
  return isRejection(prepared) ? prepared.reason : 'fine';
};

describe('prepareAppend', () => {
  it('measures data as the log does, whatever its characters', () => {
    // Units of one to three bytes each, so that every way of guessing from the length is tried around the limit.
    fc.assert(
      fc.property(fc.constantFrom('x', 'é', '☃', '🙂'), fc.integer({ min: -3, max: 3 }), (unit, off) => {
        const room = LOG_LIMITS.eventBytes - Buffer.byteLength('{"text":""}') + off;
        const width = Buffer.byteLength(unit);
        const text = unit.repeat(Math.floor(room / width)) + 'x'.repeat(room % width);
        expect(reasonOf(appendTo('test-a', 'any', [newEvent({ data: { text } })]))).to.equal(off > 0 ? 'event_too_large' : 'fine');
      }),
      { numRuns: 40 },
    );
  });

  it('bounds metadata', () => {
    const [event] = newEvents(1);
    const withId = (length: number) =>
      appendTo('test-a', 'any', [{ ...event, metadata: { ...event?.metadata, correlationId: 'x'.repeat(length) } } as never]);
    expect(reasonOf(withId(60_000))).to.equal('fine');
    expect(reasonOf(withId(66_000))).to.equal('event_too_large');
  });

  it('says at least how many bytes an append has', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme', maxLength: 50 }), { minLength: 1, maxLength: 5 }), (texts) => {
        const events = texts.map((text) => newEvent({ data: { text } }));
        const prepared = prepareAppend(appendTo('test-a', 'any', events));
        const actual = events.reduce(
          (sum, { data, metadata }) => sum + Buffer.byteLength(JSON.stringify(data) + JSON.stringify(metadata)),
          0,
        );
        expect(!isRejection(prepared) && prepared.bytes >= actual).to.equal(true);
      }),
    );
  });
});
