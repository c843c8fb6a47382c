import { expect } from 'chai';
import fc from 'fast-check';
import type { BufferedEvent } from '../../../gateways/ports/shared-events.ts';
import { EventBuffer, EVENT_BUFFER_LIMITS, type Resumed } from '../../../gateways/relay/responses/event-buffer.ts';

const event = (number: number, last: number, text = `e${number}`): BufferedEvent => ({ number, text, isLast: number === last });
const never = new AbortController().signal;

const all = async (buffer: EventBuffer, id: string, after: number): Promise<readonly Resumed[]> => {
  const got: Resumed[] = [];
  for await (const one of buffer.read(id, after, never, () => Promise.resolve(true))) got.push(one);
  return got;
};

describe('events of answers that are made in the background', () => {
  let now = 0;
  const buffer = (limits: Partial<typeof EVENT_BUFFER_LIMITS> = {}): EventBuffer =>
    new EventBuffer(null, { ...EVENT_BUFFER_LIMITS, ...limits }, () => now);

  it('come exactly once to each reader, from wherever he begins, whenever he comes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 30 }),
        fc.array(fc.tuple(fc.nat(30), fc.nat(30)), { maxLength: 5 }),
        async (count, readers) => {
          const events = buffer();
          const say = events.open('r');
          const readings: Promise<unknown>[] = [];
          for (let number = 0; number < count; number++) {
            for (const [when, from] of readers)
              if (when % count === number) {
                const after = (from % count) - 1;
                readings.push(
                  all(events, 'r', after).then((got) =>
                    expect(got).to.deep.equal(Array.from({ length: count - after - 1 }, (_, at) => event(after + 1 + at, count - 1))),
                  ),
                );
              }
            say(event(number, count - 1));
            if (number % 3 === 0) await Promise.resolve();
          }
          await Promise.all(readings);
        },
      ),
    );
  });

  it('are lost where they are too many, and said to be', async () => {
    const events = buffer({ mostOfOne: 10 });
    const say = events.open('large');
    say(event(0, 2, '12345678'));
    expect(await all(events, 'unknown', -1)).to.deep.equal(['lost']);
    const reading = all(events, 'large', -1);
    await new Promise(setImmediate);
    say(event(1, 2, '12345678'));
    expect(await reading).to.deep.equal([event(0, 2, '12345678'), 'lost']);
    say(event(2, 2));
    expect(await all(events, 'large', 1)).to.deep.equal(['lost']);
  });

  it('make room: those that are over go first, and after a while', async () => {
    const events = buffer({ mostInAll: 20, keptMs: 100 });
    const done = events.open('done');
    done(event(0, 0, '1234567890'));
    const running = events.open('running');
    running(event(0, 9, '12345678'));
    expect(await all(events, 'done', -1)).to.have.length(1);
    running(event(1, 1, '12345678'));
    expect(await all(events, 'done', -1)).to.deep.equal(['lost']);
    expect(await all(events, 'running', -1)).to.have.length(2);
    now += 1_000;
    events.open('another');
    expect(await all(events, 'running', -1)).to.deep.equal(['lost']);
  });
});
