import { expect } from 'chai';
import type { FoundEvent } from '../../../infra/event-log/eventstoredb/event-codec.ts';
import { KnownStreams } from '../../../infra/event-log/eventstoredb/known-streams.ts';
import type { Position } from '../../../schemas/event-envelope.ts';

const position = (revision: number): Position => BigInt(100 + revision) as Position;

describe('the known streams of an event store', () => {
  let stored: Map<string, string[]>;
  let read: string[];
  const make = (mostIds?: number): KnownStreams =>
    new KnownStreams(
      {
        async *places(name: string, from: number): AsyncGenerator<FoundEvent, void, undefined> {
          for (const [revision, eventId] of (stored.get(name) ?? []).entries()) {
            if (revision < from) continue;
            read.push(`${name}/${revision}`);
            yield { position: position(revision), revision, eventId, stored: null };
          }
        },
      },
      mostIds,
    );

  beforeEach(() => {
    stored = new Map([['test-a', ['one', 'two']]]);
    read = [];
  });

  it('are read once, and then only what came since', async () => {
    const streams = make();
    expect(streams.of('test-a').isStale).to.equal(true);
    const known = await streams.refresh('test-a');
    expect(known.end).to.equal(1);
    expect(known.revisionOf('two')).to.equal(1);
    expect(known.positionAt(0)).to.equal(position(0));
    stored.get('test-a')?.push('three');
    await streams.refresh('test-a');
    expect(known.revisionOf('three')).to.equal(2);
    expect(read).to.deep.equal(['test-a/0', 'test-a/1', 'test-a/2']);
  });

  it('take what was acknowledged right behind their end, and know that something is missing otherwise', async () => {
    const streams = make();
    const known = await streams.refresh('test-a');
    streams.add('test-a', ['three', 'four'], 3, position(3));
    expect(known).to.include({ end: 3, isStale: false });
    expect(known.positionAt(3)).to.equal(position(3));
    expect(known.positionAt(2)).to.equal(undefined);
    streams.add('test-a', ['seven'], 6, position(6));
    expect(known).to.include({ end: 3, isStale: true });
    expect(known.revisionOf('seven')).to.equal(undefined);
  });

  it('are forgotten, the longest unused first, when there are too many ids', async () => {
    const streams = make(4);
    stored.set('test-b', ['b1', 'b2']);
    stored.set('test-c', ['c1']);
    for (const name of ['test-a', 'test-b', 'test-c']) await streams.refresh(name);
    streams.of('test-a');
    streams.trim();
    expect(streams.of('test-b').isStale).to.equal(true);
    expect(streams.of('test-a')).to.include({ end: 1, isStale: false });
    expect(streams.of('test-c').isStale).to.equal(false);
    // Counted right: one more read of what was forgotten makes it too many again, and no sooner.
    await streams.refresh('test-b');
    streams.trim();
    expect(streams.of('test-a').isStale).to.equal(true);
  });
});
