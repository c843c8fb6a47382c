import { expect } from 'chai';
import sinon from 'sinon';
import { FeedQueue } from '../../../projections/engine/feed-queue.ts';
import type { EventFeed } from '../../../projections/ports/event-feed.ts';
import { START, type LogMessage, type Position, type RecordedEvent } from '../../../schemas/event-envelope.ts';

const news = (position: number): LogMessage => ({ kind: 'events', events: [{ position: BigInt(position) as Position } as RecordedEvent] });

/** A feed that tells something new, and something new again once its reader has rested. */
const restingFeed = (): { readonly feed: EventFeed; readonly told: () => number } => {
  let told = 0;
  return {
    told: () => told,
    feed: {
      readAll: () => {
        throw new Error('not asked for');
      },
      head: () => Promise.resolve(START),
      async *subscribe({ rest, signal }) {
        while (!signal.aborted) {
          yield news(++told);
          await rest?.();
        }
      },
    },
  };
};

describe('the queue between the log and the projector', () => {
  let clock: sinon.SinonFakeTimers;
  beforeEach(() => {
    clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  });
  afterEach(() => clock.restore());

  it('leaves the log alone for a tenth of a second after something new, unless it is woken', async () => {
    const { feed, told } = restingFeed();
    const queue = new FeedQueue(feed, START, () => false);
    await clock.tickAsync(99);
    expect(told()).to.equal(1);
    await clock.tickAsync(1);
    expect(told()).to.equal(2);
    queue.wake();
    await clock.tickAsync(0);
    expect(told()).to.equal(3);
    await clock.tickAsync(99);
    expect(told()).to.equal(3);
    const closed = queue.close();
    await clock.tickAsync(0);
    await closed;
    expect(queue.take(10).events.map(({ position }) => position)).to.deep.equal([1n, 2n, 3n]);
  });

  it('does not rest while somebody waits for what may be there already', async () => {
    const { feed, told } = restingFeed();
    const queue = new FeedQueue(feed, START, () => told() < 10);
    await clock.tickAsync(0);
    expect(told()).to.equal(10);
    await queue.close();
  });
});
