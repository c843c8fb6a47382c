import { expect } from 'chai';
import fc from 'fast-check';
import sinon from 'sinon';
import { createAppendQueue } from '../../commands/append-queue.ts';
import type { AppendQueueLimits } from '../../commands/append-queue.ts';
import { roughBytes } from '../../commands/append-size.ts';
import type { AppendOutcome, StreamAppend } from '../../commands/ports/event-log.ts';
import type { Position } from '../../schemas/event-envelope.ts';
import { appendTo, newEvent, newEvents } from '../support/log-events.ts';

const ok = (revision = 0): AppendOutcome => ({ outcome: 'appended', revision, position: 1n as Position, repeated: false });
const unknown = (): AppendOutcome => ({ outcome: 'unknown', cause: new Error('lost') });
const conflict: AppendOutcome = { outcome: 'conflict', actual: 7 };

interface Call {
  readonly batch: readonly StreamAppend[];
  answer(outcomes?: readonly AppendOutcome[]): void;
  fail(error: Error): void;
}

/** A log whose answers are given by the test. */
const heldLog = (): { readonly calls: Call[]; append(batch: readonly StreamAppend[]): Promise<readonly AppendOutcome[]> } => {
  const calls: Call[] = [];
  return {
    calls,
    append: (batch) =>
      new Promise((resolve, reject) => {
        calls.push({ batch, answer: (outcomes = batch.map(() => ok())) => resolve(outcomes), fail: reject });
      }),
  };
};

describe('the append queue', () => {
  let clock: sinon.SinonFakeTimers;
  beforeEach(() => {
    clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'performance'] });
  });
  afterEach(() => clock.restore());

  const setUp = (limits: Partial<AppendQueueLimits> = {}) => {
    const log = heldLog();
    return { log, queue: createAppendQueue(log, limits) };
  };
  /** Lets promises and the turn's end pass, without time passing. */
  const settle = (): Promise<unknown> => clock.tickAsync(0);
  const call = (log: { readonly calls: Call[] }, i: number): Call => {
    const made = log.calls[i];
    if (made === undefined) throw new Error(`There are ${log.calls.length} calls, not ${i + 1}.`);
    return made;
  };

  it('sends what came in one turn together, in order, and what comes meanwhile together in the next batch', async () => {
    const { log, queue } = setUp();
    const appends = Array.from({ length: 7 }, (_, i) => appendTo(`test-${i % 2}`, 'any'));
    const outcomes = appends.slice(0, 3).map((append) => queue.append(append));
    await settle();
    expect(log.calls).to.have.length(1);
    expect(call(log, 0).batch).to.deep.equal(appends.slice(0, 3));
    for (const append of appends.slice(3)) {
      outcomes.push(queue.append(append));
      await settle();
    }
    expect(log.calls).to.have.length(1);
    call(log, 0).answer([ok(1), conflict, ok(2)]);
    await settle();
    expect(call(log, 1).batch).to.deep.equal(appends.slice(3));
    call(log, 1).answer([ok(3), ok(4), conflict, ok(5)]);
    expect(await Promise.all(outcomes)).to.deep.equal([ok(1), conflict, ok(2), ok(3), ok(4), conflict, ok(5)]);
    expect(queue.stats()).to.deep.equal({ depth: 0, bytes: 0, waiting: 0, batches: 2, appends: 7, events: 7, resends: 0, refused: 0 });
  });

  it('sends the next batch before those who waited for the last one go on, with what they had at hand', async () => {
    const { log, queue } = setUp();
    const order: string[] = [];
    const second = appendTo('test-2', 'any');
    const writer = async (): Promise<void> => {
      await queue.append(appendTo('test-1', 'any'));
      const next = queue.append(second);
      // Whoever waited for the writer goes on only now.
      void Promise.resolve().then(() => order.push(`${log.calls.length} calls`));
      await next;
    };
    const written = writer();
    await settle();
    call(log, 0).answer();
    await settle();
    expect(order).to.deep.equal(['2 calls']);
    expect(call(log, 1).batch).to.deep.equal([second]);
    call(log, 1).answer();
    await written;
  });

  it('never has two batches under way', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom('append', 'answer', 'unknown', 'turn'), { maxLength: 60 }), async (steps) => {
        let inFlight = 0;
        const held = heldLog();
        const queue = createAppendQueue({
          append: async (batch) => {
            inFlight += 1;
            if (inFlight > 1) throw new Error('Two at once.');
            try {
              return await held.append(batch);
            } finally {
              inFlight -= 1;
            }
          },
        });
        const given: StreamAppend[] = [];
        const outcomes: Promise<AppendOutcome>[] = [];
        let answered = 0;
        for (const step of steps) {
          if (step === 'append') {
            given.push(appendTo('test-1', 'any'));
            outcomes.push(queue.append(given.at(-1) as StreamAppend));
          } else if (step === 'turn') {
            await clock.tickAsync(20);
          } else if (answered < held.calls.length) {
            const { batch, answer } = call(held, answered++);
            answer(step === 'answer' ? undefined : batch.map(unknown));
            await clock.tickAsync(20);
          }
        }
        const drained = queue.drain();
        for (let isDone = false; !isDone;) {
          void drained.then(() => (isDone = true));
          await clock.tickAsync(1_000);
          for (; answered < held.calls.length; answered++) call(held, answered).answer();
        }
        expect((await Promise.all(outcomes)).every(({ outcome }) => outcome === 'appended')).to.equal(true);
        // Resent batches apart, everything went out once and in the order given.
        const sent = held.calls.map(({ batch }) => batch).filter((batch, i, all) => i === 0 || batch[0] !== all[i - 1]?.[0]);
        expect(sent.flat()).to.deep.equal(given);
      }),
      { numRuns: 100 },
    );
  });

  it('cuts batches by appends, events and bytes, but never an append', async () => {
    const { log, queue } = setUp({ batchAppends: 3, batchEvents: 10, batchBytes: 20_000 });
    const sizes = [1, 1, 1, 1, 8, 1, 12, 1];
    const appends = [
      ...sizes.map((size) => appendTo('test-1', 'any', newEvents(size))),
      appendTo('test-1', 'any', [newEvent({ data: { text: 'x'.repeat(30_000) } })]),
      appendTo('test-1', 'any'),
    ];
    for (const append of appends) void queue.append(append);
    const lengths: number[] = [];
    for (let i = 0; lengths.reduce((sum, n) => sum + n, 0) < appends.length; i++) {
      await settle();
      lengths.push(call(log, i).batch.length);
      call(log, i).answer();
    }
    expect(lengths).to.deep.equal([3, 3, 1, 1, 1, 1]);
    expect(log.calls.flatMap(({ batch }) => batch)).to.deep.equal(appends);
  });

  it('makes callers wait in turn when it is full, and refuses them when they waited too long', async () => {
    const { log, queue } = setUp({ appends: 2, waitMs: 1_000 });
    const told: string[] = [];
    const add = (name: string): void =>
      void queue
        .append(appendTo(`test-${name}`, 'any'))
        .then((outcome) => told.push(`${name} ${outcome.outcome === 'rejected' ? outcome.reason : outcome.outcome}`));
    add('a');
    add('b');
    await settle();
    add('c');
    await clock.tickAsync(400);
    add('d');
    add('e');
    await clock.tickAsync(500);
    expect(queue.stats()).to.include({ depth: 2, waiting: 3 });
    call(log, 0).answer();
    await settle();
    expect(told).to.deep.equal(['a appended', 'b appended']);
    expect(call(log, 1).batch.map(({ stream }) => stream)).to.deep.equal(['test-c', 'test-d']);
    // e came at 400 ms: it is late at 1 400 ms, not before.
    await clock.tickAsync(499);
    expect(told).to.have.length(2);
    await clock.tickAsync(2);
    expect(told.slice(2)).to.deep.equal(['e log_busy']);
    call(log, 1).answer();
    await settle();
    expect(told.slice(3)).to.deep.equal(['c appended', 'd appended']);
    expect(queue.stats()).to.include({ depth: 0, waiting: 0, refused: 1 });
    add('f');
    await settle();
    call(log, 2).answer();
    await settle();
    expect(told.at(-1)).to.equal('f appended');
  });

  it('lets nobody overtake those who wait', async () => {
    const { log, queue } = setUp({ bytes: 3_100 });
    const big = appendTo('test-big', 'any', [newEvent({ data: { text: 'x'.repeat(2_000) } })]);
    const small = [appendTo('test-a', 'any'), appendTo('test-b', 'any'), appendTo('test-c', 'any')];
    void queue.append(small[0] as StreamAppend);
    void queue.append(small[1] as StreamAppend);
    void queue.append(big);
    void queue.append(small[2] as StreamAppend);
    await settle();
    expect(queue.stats()).to.include({ depth: 2, waiting: 2 });
    call(log, 0).answer();
    await settle();
    expect(call(log, 1).batch).to.deep.equal([big, small[2]]);
  });

  it('takes an append larger than its bounds when it is alone: the log says what is too large', async () => {
    const { log, queue } = setUp({ bytes: 100, batchBytes: 100 });
    const outcome = queue.append(appendTo('test-a', 'any', newEvents(5)));
    await settle();
    const rejected: AppendOutcome = { outcome: 'rejected', reason: 'append_too_large', message: '' };
    call(log, 0).answer([rejected]);
    expect(await outcome).to.equal(rejected);
  });

  it('sends the identical batch again after an unknown outcome, before anything else', async () => {
    const { log, queue } = setUp();
    const first = [appendTo('test-a', 'any'), appendTo('test-a', 3), appendTo('test-b', 'any')];
    const outcomes = first.map((append) => queue.append(append));
    await settle();
    const later = queue.append(appendTo('test-c', 'any'));
    // Whatever else the first try said is not final while one outcome is unknown: the conflict came of the append that was not known to be there.
    call(log, 0).answer([unknown(), conflict, ok(1)]);
    await clock.tickAsync(10);
    expect(call(log, 1).batch).to.deep.equal(first);
    call(log, 1).fail(new Error('gone'));
    await clock.tickAsync(20);
    expect(call(log, 2).batch).to.deep.equal(first);
    const repeated: AppendOutcome = { outcome: 'appended', revision: 3, position: 1n as Position, repeated: true };
    call(log, 2).answer([repeated, ok(4), { ...(ok(1) as typeof repeated), repeated: true }]);
    expect(await Promise.all(outcomes)).to.deep.equal([repeated, ok(4), ok(1)]);
    await settle();
    expect(call(log, 3).batch).to.have.length(1);
    call(log, 3).answer();
    expect(await later).to.deep.equal(ok());
    expect(queue.stats()).to.include({ batches: 2, resends: 2 });
  });

  it('answers unknown when the log stays away, and goes on with the rest', async () => {
    const { log, queue } = setUp({ resendMs: 1_000 });
    const outcome = queue.append(appendTo('test-a', 'any'));
    const started = performance.now();
    let answered = 0;
    let told: AppendOutcome | undefined;
    void outcome.then((value) => (told = value));
    while (told === undefined) {
      await clock.tickAsync(1);
      for (; answered < log.calls.length; answered++) call(log, answered).answer([unknown()]);
      if (performance.now() - started > 5_000) throw new Error('Still no answer.');
    }
    expect(told.outcome).to.equal('unknown');
    expect(performance.now() - started).to.be.within(500, 1_001);
    expect(answered).to.be.within(5, 12);
    const next = queue.append(appendTo('test-b', 'any'));
    await settle();
    call(log, answered).answer();
    expect(await next).to.deep.equal(ok());
  });

  it('says that the log is silent from when an answer is overdue until the next that is known', async () => {
    const { log, queue } = setUp({ resendMs: 5_000, silentMs: 3_000 });
    void queue.append(appendTo('test-1', 'any'));
    await clock.tickAsync(2_999);
    expect([queue.isSilent(), queue.isStuck()]).to.deep.equal([false, false]);
    await clock.tickAsync(1);
    expect([queue.isSilent(), queue.isStuck()]).to.deep.equal([true, true]);

    // Given up: nobody is under way, so that the next one is not turned away.
    for (let sent = 0; sent < log.calls.length; sent++) {
      call(log, sent).answer([unknown()]);
      await clock.tickAsync(1_000);
    }
    expect([queue.isSilent(), queue.isStuck()]).to.deep.equal([true, false]);
    void queue.append(appendTo('test-1', 'any'));
    await settle();
    expect([queue.isSilent(), queue.isStuck()]).to.deep.equal([true, true]);

    call(log, log.calls.length - 1).answer();
    await settle();
    expect([queue.isSilent(), queue.isStuck()]).to.deep.equal([false, false]);
  });

  it('lets a silence of which nobody tries the end pass, or nobody would be sent to try', async () => {
    const { log, queue } = setUp({ resendMs: 0, silentMs: 3_000 });
    void queue.append(appendTo('test-1', 'any'));
    await clock.tickAsync(3_000);
    call(log, 0).answer([unknown()]);
    await clock.tickAsync(9_999);
    expect(queue.isSilent()).to.equal(true);
    await clock.tickAsync(1);
    expect(queue.isSilent()).to.equal(false);
  });

  it('closes: refuses what comes, finishes what is there', async () => {
    const { log, queue } = setUp({ appends: 1 });
    const outcomes = [queue.append(appendTo('test-a', 'any')), queue.append(appendTo('test-b', 'any'))];
    let isClosed = false;
    void queue.close().then(() => (isClosed = true));
    expect(await queue.append(appendTo('test-c', 'any'))).to.include({ outcome: 'rejected', reason: 'log_busy' });
    await settle();
    call(log, 0).answer();
    await settle();
    expect(isClosed).to.equal(false);
    call(log, 1).answer();
    await settle();
    expect(isClosed).to.equal(true);
    expect(await Promise.all(outcomes)).to.deep.equal([ok(), ok()]);
    await queue.close();
    await queue.drain();
  });
});

describe('roughBytes', () => {
  it('is near the JSON length of Latin text, and never far below it', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ maxLength: 8, unit: 'grapheme-ascii' }), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 8 }),
        (data) => {
          const events = [newEvent({ data: data })];
          const actual = Buffer.byteLength(JSON.stringify(events));
          expect(roughBytes({ stream: 'test-a' as never, expectedRevision: 'any', events })).to.be.at.least(actual / 4);
        },
      ),
    );
    const long = [newEvent({ data: { text: 'x'.repeat(100_000) } })];
    expect(roughBytes({ stream: 'test-a' as never, expectedRevision: 'any', events: long })).to.be.within(100_000, 101_000);
  });
});
