import { expect } from 'chai';
import fc from 'fast-check';
import { Tail } from '../../../infra/event-log/tail.ts';
import type { TailEvent } from '../../../infra/event-log/tail.ts';
import type { EventFilter, Position } from '../../../schemas/event-envelope.ts';

const at = (position: number): Position => BigInt(position) as Position;

const stored = (position: number, parts: Partial<TailEvent> = {}): TailEvent => ({
  position: at(position),
  stream: 'test-a',
  revision: position,
  eventId: `id-${position}`,
  type: 'Made',
  schemaVersion: 1,
  recordedAt: '2026-01-02T03:04:05.678Z',
  data: `{"position":${position}}`,
  metadata: '{}',
  bytes: 20,
  ...parts,
});

const positions = (tail: Tail, after: number, filter?: EventFilter, limit = 500): number[] | undefined =>
  tail.step(at(after), filter, limit)?.events.map(({ position }) => Number(position));

describe('the tail of a log', () => {
  it('has nothing to give before anything was appended', () => {
    expect(new Tail().step(at(0), undefined, 10)).to.equal(undefined);
  });

  it('gives what lies after a position, and nothing to who is behind or at its end', () => {
    const tail = new Tail();
    for (const position of [4, 5, 6, 7]) tail.push(stored(position));
    expect(positions(tail, 3)).to.deep.equal([4, 5, 6, 7]);
    expect(positions(tail, 5)).to.deep.equal([6, 7]);
    expect(positions(tail, 2)).to.equal(undefined);
    expect(positions(tail, 7)).to.equal(undefined);
    expect(positions(tail, 9)).to.equal(undefined);
    expect(tail.step(at(3), undefined, 2)).to.deep.include({ through: at(5), head: at(7) });
  });

  it('passes over what a filter does not want, and says how far it looked', () => {
    const tail = new Tail();
    tail.push(stored(1, { stream: 'user-a' }));
    tail.push(stored(2, { stream: 'user-a', type: 'Other' }));
    tail.push(stored(3, { stream: 'userx-a' }));
    expect(positions(tail, 0, { categories: ['user'] })).to.deep.equal([1, 2]);
    expect(positions(tail, 0, { types: ['Made'] })).to.deep.equal([1, 3]);
    expect(positions(tail, 0, { categories: ['user'], types: ['Other'] })).to.deep.equal([2]);
    expect(tail.step(at(0), { types: [] }, 500)).to.deep.equal({ events: [], through: at(3), head: at(3) });
    expect(tail.step(at(0), { types: ['Made'] }, 1)).to.deep.include({ through: at(1) });
  });

  it('drops what lies before an event of another process', () => {
    const tail = new Tail();
    tail.push(stored(1));
    tail.push(stored(2));
    tail.push(stored(4));
    expect(positions(tail, 2)).to.equal(undefined);
    expect(positions(tail, 3)).to.deep.equal([4]);
  });

  it('ignores what it has already', () => {
    const tail = new Tail();
    for (const position of [1, 2, 2, 1, 3]) tail.push(stored(position));
    expect(positions(tail, 0)).to.deep.equal([1, 2, 3]);
  });

  it('keeps nothing of what its readers parse', () => {
    const tail = new Tail();
    tail.push(stored(1));
    const [first, second] = [0, 0].map((after) => tail.step(at(after), undefined, 1)?.events[0]);
    expect(first).to.deep.equal(second);
    expect(first?.data).not.to.equal(second?.data);
  });

  it('keeps no more than it may, and is always one run of positions up to the last', () => {
    const limits = { events: 5, bytes: 200 };
    fc.assert(
      fc.property(
        fc.array(fc.record({ gap: fc.constantFrom(0, 0, 0, 0, 1, 3), size: fc.constantFrom(2, 30, 90) }), { maxLength: 60 }),
        (pushes) => {
          const tail = new Tail(limits);
          const run: { readonly position: number; readonly bytes: number }[] = [];
          let position = 0;
          for (const { gap, size } of pushes) {
            position += 1 + gap;
            const event = stored(position, { bytes: size });
            tail.push(event);
            if (gap > 0) run.length = 0;
            run.push({ position, bytes: event.bytes });
            while (run.length > limits.events || run.reduce((sum, { bytes }) => sum + bytes, 0) > limits.bytes) run.shift();
            const first = run[0]?.position ?? position + 1;
            for (let after = Math.max(0, first - 3); after <= position; after++) {
              expect(positions(tail, after)).to.deep.equal(
                after + 1 < first || after >= position ? undefined : run.map(({ position: kept }) => kept).filter((kept) => kept > after),
              );
            }
          }
        },
      ),
    );
  });
});
