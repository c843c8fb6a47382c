import { expect } from 'chai';
import fc from 'fast-check';
import type { AppendOutcome } from '../../../commands/ports/event-log.ts';
import type { PreparedAppend } from '../../../infra/event-log/prepare-append.ts';
import { toRecorded } from '../../../infra/event-log/stored-event.ts';
import { writtenEvents } from '../../../infra/event-log/written-events.ts';
import type { Position } from '../../../schemas/event-envelope.ts';

const RECORDED_AT = '2026-01-02T03:04:05.678Z';

const append = (stream: string, bodies: readonly { readonly data: object; readonly metadata: object }[]): PreparedAppend => ({
  stream,
  category: 'test',
  expected: -3,
  bytes: 0,
  events: bodies.map(({ data, metadata }, i) => ({
    eventId: `id-${i}`,
    type: 'Made',
    schemaVersion: 2,
    data: JSON.stringify(data),
    metadata: JSON.stringify(metadata),
  })),
});

const appended = (revision: number, position: number): AppendOutcome => ({
  outcome: 'appended',
  revision,
  position: BigInt(position) as Position,
  repeated: false,
});

describe('the events that a call has written', () => {
  it('have the bodies that were written, whatever the script, when they are looked at behind many other calls', () => {
    const body = fc.dictionary(
      fc.string({ unit: fc.constantFrom('a', '"', 'é', '雨', '🜁', '\n') }),
      fc.string({ unit: 'binary', maxLength: 40 }),
    );
    const bodies = fc.array(fc.record({ data: body, metadata: body }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(fc.array(bodies, { minLength: 1, maxLength: 6 }), (calls) => {
        const kept = calls.map((events) =>
          writtenEvents([append('test-a', events)], [appended(events.length - 1, events.length)], RECORDED_AT),
        );
        for (const [i, events] of calls.entries()) {
          const read = kept[i]?.map(toRecorded) ?? [];
          expect(read.map(({ data, metadata }) => ({ data, metadata }))).to.deep.equal(JSON.parse(JSON.stringify(events)));
          expect(kept[i]?.map(({ bytes }) => bytes)).to.deep.equal(
            events.map(({ data, metadata }) => Buffer.byteLength(JSON.stringify(data) + JSON.stringify(metadata))),
          );
        }
      }),
    );
  });

  it('may have bodies of any size', () => {
    const data = { text: 'é'.repeat(1_000_000) };
    const [event] = writtenEvents([append('test-a', [{ data, metadata: {} }])], [appended(0, 1)], RECORDED_AT);
    expect(JSON.parse(event?.data ?? '')).to.deep.equal(data);
    expect(event?.metadata).to.equal('{}');
  });

  it('have the places that the outcomes say, and leave out what wrote nothing', () => {
    const two = [
      { data: {}, metadata: {} },
      { data: {}, metadata: {} },
    ];
    const outcomes: AppendOutcome[] = [
      appended(6, 11),
      { outcome: 'conflict', actual: 3 },
      { ...appended(1, 4), repeated: true } as AppendOutcome,
      appended(1, 13),
    ];
    const written = writtenEvents(
      ['a', 'b', 'c', 'd'].map((name) => append(`test-${name}`, two)),
      outcomes,
      RECORDED_AT,
    );
    expect(written.map(({ stream, revision, position }) => [stream, revision, Number(position)])).to.deep.equal([
      ['test-a', 5, 10],
      ['test-a', 6, 11],
      ['test-d', 0, 12],
      ['test-d', 1, 13],
    ]);
    expect(written.map(({ recordedAt, type, schemaVersion }) => [recordedAt, type, schemaVersion])).to.deep.equal(
      written.map(() => [RECORDED_AT, 'Made', 2]),
    );
    expect(written.map(({ eventId }) => eventId)).to.deep.equal(['id-0', 'id-1', 'id-0', 'id-1']);
  });
});
