import { expect } from 'chai';
import { LiveWindow } from '../../../infra/event-log/eventstoredb/live-window.ts';
import type { StoredEvent } from '../../../infra/event-log/stored-event.ts';
import { START } from '../../../schemas/event-envelope.ts';
import type { Position } from '../../../schemas/event-envelope.ts';

const at = (position: number): Position => BigInt(position) as Position;

const stored = (position: number, type = 'QuotaReserved', data = '{}'): StoredEvent => ({
  position: at(position),
  stream: 'account-1',
  revision: position,
  eventId: `id-${position}`,
  type,
  schemaVersion: 1,
  recordedAt: '2026-01-01T00:00:00.000Z',
  data,
  metadata: '{}',
});

describe('the window of live events', () => {
  const open = (since: number, ...positions: readonly number[]): LiveWindow => {
    const window = new LiveWindow({ events: 4, bytes: 1_000 });
    window.open(at(since));
    for (const position of positions) window.push(stored(position));
    return window;
  };
  const places = (window: LiveWindow, after: number, limit = 10): number[] | undefined =>
    window.step(at(after), undefined, limit)?.events.map(({ position }) => Number(position));

  it('serves who has seen the log up to where it begins, and nobody who has seen less', () => {
    const window = open(100, 137, 290);
    expect(places(window, 100)).to.deep.equal([137, 290]);
    expect(places(window, 120)).to.deep.equal([137, 290]);
    expect(places(window, 137)).to.deep.equal([290]);
    expect(places(window, 99)).to.equal(undefined);
    expect(places(window, 290)).to.equal(undefined);
  });

  it('knows nothing before it is opened and after it was cleared', () => {
    const window = new LiveWindow();
    window.push(stored(5));
    expect(window.step(START, undefined, 10)).to.equal(undefined);
    window.open(at(1));
    window.push(stored(6));
    window.clear();
    expect(window.isOpen).to.equal(false);
    expect(places(window, 1)).to.equal(undefined);
  });

  it('begins later once it is full, by number and by bytes', () => {
    const window = open(0, 10, 20, 30, 40, 50, 60);
    expect(places(window, 0)).to.equal(undefined);
    expect(places(window, 19)).to.equal(undefined);
    expect(places(window, 20)).to.deep.equal([30, 40, 50, 60]);
    window.push(stored(70, 'QuotaReserved', 'x'.repeat(995)));
    expect(places(window, 30)).to.equal(undefined);
    expect(places(window, 60)).to.deep.equal([70]);
  });

  it('goes on through many events', () => {
    const window = open(0);
    for (let position = 1; position <= 100; position++) window.push(stored(position * 7));
    expect(places(window, 96 * 7)).to.deep.equal([679, 686, 693, 700]);
  });

  it('says of a step cut short, and of one that lacks what is known to be there, that it is not all', () => {
    const window = open(0, 10, 20, 30);
    expect(window.step(START, undefined, 2)).to.include({ through: at(20), head: at(30) });
    window.note(at(40));
    expect(window.step(START, undefined, 10)).to.include({ through: at(30), head: at(40) });
    window.push(stored(40));
    window.note(at(5));
    expect(window.step(START, undefined, 10)).to.include({ through: at(40), head: at(40) });
  });

  it('passes over what a filter does not want', () => {
    const window = open(0, 10);
    window.push(stored(20, 'LeaseOpened'));
    window.push(stored(30));
    const step = window.step(START, { types: ['LeaseOpened'], categories: ['account'] }, 10);
    expect(step?.events.map(({ type }) => type)).to.deep.equal(['LeaseOpened']);
    expect(step?.through).to.equal(at(30));
    expect(window.step(START, { categories: ['user'] }, 10)?.events).to.deep.equal([]);
  });
});
