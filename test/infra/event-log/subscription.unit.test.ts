import { expect } from 'chai';
import sinon from 'sinon';
import { backoffMs } from '../../../infra/event-log/backoff.ts';
import { Changes } from '../../../infra/event-log/changes.ts';
import type { LogStep } from '../../../infra/event-log/log-step.ts';
import { follow } from '../../../infra/event-log/subscription.ts';
import type { LogSource } from '../../../infra/event-log/subscription.ts';
import { Tail } from '../../../infra/event-log/tail.ts';
import type { EventFilter, LogMessage, Position, RecordedEvent } from '../../../schemas/event-envelope.ts';

const at = (position: number): Position => BigInt(position) as Position;
const events = (from: number, to: number): RecordedEvent[] =>
  Array.from({ length: to - from + 1 }, (_, i) => ({ position: at(from + i) }) as RecordedEvent);
const step = (list: RecordedEvent[], through: number, head = through): LogStep => ({ events: list, through: at(through), head: at(head) });

/** An event that this process appended, but for its place. */
const OWN = {
  stream: 'lease-1',
  revision: 0,
  eventId: '00000000-0000-4000-8000-000000000000',
  type: 'QuotaDebited',
  schemaVersion: 1,
  recordedAt: '2026-01-01T00:00:00.000Z',
  data: '{}',
  metadata: '{}',
  bytes: 4,
} as const;

/** A log whose reads are answered by the test, one by one. */
class HeldSource implements LogSource {
  readonly tail = new Tail();
  readonly changes = new Changes();
  readonly asked: Position[] = [];
  readonly faults: string[] = [];
  readonly onFault: LogSource['onFault'] = ({ what }) => this.faults.push(what);
  closed = false;
  watchers = 0;
  readonly #answers: { resolve(step: LogStep): void; reject(error: Error): void }[] = [];

  step(after: Position): Promise<LogStep> {
    this.asked.push(after);
    return new Promise((resolve, reject) => this.#answers.push({ resolve, reject }));
  }

  watch(): () => void {
    this.watchers += 1;
    return () => (this.watchers -= 1);
  }

  answer(made: LogStep): void {
    this.#answers.shift()?.resolve(made);
  }

  fail(): void {
    this.#answers.shift()?.reject(new Error('lost'));
  }
}

describe('following a log', () => {
  let clock: sinon.SinonFakeTimers;
  let source: HeldSource;
  let abort: AbortController;
  let told: LogMessage[];
  let ended: unknown;

  beforeEach(() => {
    clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    source = new HeldSource();
    abort = new AbortController();
    told = [];
    ended = undefined;
  });
  afterEach(() => clock.restore());

  const settle = (): Promise<unknown> => clock.tickAsync(0);
  const start = async (after: number, filter?: EventFilter, rest?: () => Promise<void>): Promise<void> => {
    const options = {
      after: at(after),
      signal: abort.signal,
      ...(filter === undefined ? {} : { filter }),
      ...(rest === undefined ? {} : { rest }),
    };
    void (async () => {
      for await (const message of follow(source, options)) told.push(message);
    })().then(
      () => (ended = 'ended'),
      (error: unknown) => (ended = error),
    );
    await settle();
  };
  const answer = async (made: LogStep): Promise<void> => {
    source.answer(made);
    await settle();
  };

  it('looks again when something was announced while it looked, though it then found the end', async () => {
    await start(0);
    source.changes.announce();
    await answer(step(events(1, 2), 2));
    expect(source.asked).to.deep.equal([at(0), at(2)]);
    await answer(step(events(3, 3), 3));
    expect(told.map(({ kind }) => kind)).to.deep.equal(['events', 'caughtUp', 'events', 'caughtUp']);
  });

  it('sleeps when it has seen all there was, and says nothing when it was woken for nothing', async () => {
    await start(0);
    await answer(step(events(1, 2), 2));
    await clock.tickAsync(3_600_000);
    expect(source.asked).to.have.length(1);
    source.changes.announce();
    await settle();
    await answer(step([], 2));
    expect(told).to.have.length(2);
    expect(source.asked).to.have.length(2);
  });

  it('does not look for what its filter does not want, nor for what it has seen', async () => {
    await start(0, { categories: ['account'] });
    await answer(step([], 7));
    source.changes.announce({ kinds: ['lease/QuotaDebited'], position: at(9) });
    source.changes.announce({ kinds: ['account/CapSet'], position: at(7) });
    await settle();
    expect(source.asked).to.deep.equal([at(0)]);
    source.changes.announce({ kinds: ['lease/QuotaDebited', 'account/CapSet'], position: at(11) });
    await settle();
    expect(source.asked).to.deep.equal([at(0), at(7)]);
  });

  it('looks for what others appended behind what is at hand, though it slept through that', async () => {
    await start(0, { categories: ['account'] });
    await answer(step([], 0));
    for (const position of [1, 2, 3]) {
      source.tail.push({ ...OWN, position: at(position) });
      source.changes.announce({ kinds: ['lease/QuotaDebited'], position: at(position) });
    }
    await settle();
    expect(source.asked).to.deep.equal([at(0)]);
    source.changes.announce({ kinds: ['account/CapSet'], position: at(4) });
    await settle();
    expect(source.asked, 'what is at hand ends at 3').to.deep.equal([at(0), at(3)]);
    await answer(step(events(4, 4), 4));
    expect(told.at(-1)).to.deep.equal({ kind: 'caughtUp', position: at(4) });

    source.tail.push({ ...OWN, position: at(5) });
    source.changes.announce({ kinds: ['lease/QuotaDebited'], position: at(5) });
    source.changes.announce();
    await settle();
    expect(source.asked, 'nobody can say what it was').to.deep.equal([at(0), at(3), at(5)]);
  });

  it('reads on without a pause until it has caught up', async () => {
    await start(0);
    await answer(step(events(1, 500), 500, 700));
    await answer(step(events(501, 600), 650, 700));
    await answer(step([], 700));
    expect(told).to.deep.equal([
      { kind: 'events', events: events(1, 500) },
      { kind: 'events', events: events(501, 600) },
      { kind: 'checkpoint', position: at(650) },
      { kind: 'checkpoint', position: at(700) },
      { kind: 'caughtUp', position: at(700) },
    ]);
    expect(source.asked).to.deep.equal([at(0), at(500), at(650)]);
  });

  it('leaves the store alone while its reader rests, but not what is at hand', async () => {
    let rests = 0;
    let rested: () => void = () => undefined;
    const rest = (): Promise<void> => {
      rests++;
      return new Promise((resolve) => (rested = resolve));
    };
    await start(0, undefined, rest);
    await answer(step(events(1, 2), 2, 4));
    expect([source.asked.length, rests], 'it had not caught up').to.deep.equal([2, 0]);
    await answer(step(events(3, 4), 4));
    source.changes.announce({ position: at(5) });
    await settle();
    expect([source.asked.length, rests]).to.deep.equal([2, 1]);
    source.tail.push({ ...OWN, position: at(5) });
    rested();
    await settle();
    expect(told.at(-1)).to.deep.equal({ kind: 'caughtUp', position: at(5) });
    source.tail.push({ ...OWN, position: at(6) });
    source.changes.announce({ position: at(6) });
    await settle();
    expect(told.at(-1), 'at hand').to.deep.equal({ kind: 'caughtUp', position: at(6) });
    expect([source.asked.length, rests]).to.deep.equal([2, 1]);
    source.changes.announce({ position: at(7) });
    await settle();
    expect([source.asked.length, rests], 'the store had nothing new last').to.deep.equal([3, 1]);
    await answer(step(events(7, 7), 7));
    source.changes.announce({ position: at(8) });
    await settle();
    expect(rests).to.equal(2);
    abort.abort();
    await settle();
    expect(ended, 'though its reader rests on').to.equal('ended');
  });

  it('does not read on while the consumer is at work', async () => {
    const messages = follow(source, { after: at(0), signal: abort.signal });
    const first = messages.next();
    await settle();
    await answer(step(events(1, 2), 2, 9));
    await first;
    await settle();
    expect(source.asked).to.have.length(1);
    void messages.next();
    await settle();
    expect(source.asked).to.have.length(2);
  });

  it('tries again after failed reads, ever more slowly, from where it was', async () => {
    await start(0);
    await answer(step(events(1, 2), 2, 9));
    for (let i = 0; i < 10; i++) {
      source.fail();
      await clock.tickAsync(2_000);
    }
    expect(source.faults).to.deep.equal(Array(10).fill('read_failed'));
    expect(new Set(source.asked.slice(1))).to.deep.equal(new Set([at(2)]));
    await answer(step(events(3, 9), 9));
    expect(told.at(-1)).to.deep.equal({ kind: 'caughtUp', position: at(9) });
  });

  it('ends on abort wherever it is, and stops watching', async () => {
    for (const reach of [async () => undefined, () => answer(step([], 0)), async () => source.fail()]) {
      abort = new AbortController();
      await start(0);
      expect(source.watchers).to.equal(1);
      await reach();
      abort.abort();
      await settle();
      expect(ended).to.equal('ended');
      expect(source.watchers).to.equal(0);
      source = new HeldSource();
      ended = undefined;
    }
  });

  it('ends when the log is closed, asleep or reading', async () => {
    await start(0);
    await answer(step([], 0));
    source.closed = true;
    source.changes.announce();
    await settle();
    expect(ended).to.equal('ended');
    source = new HeldSource();
    await start(0);
    source.closed = true;
    source.fail();
    await settle();
    expect(ended).to.equal('ended');
  });

  it('stops with an error on a log that ends before what was seen of it', async () => {
    await start(7);
    await answer(step([], 5));
    expect(ended).to.be.instanceOf(Error).with.property('name', 'LogBehindReader');
  });

  it('leaves no listener behind on a signal that lives long', async () => {
    const add = sinon.spy(abort.signal, 'addEventListener');
    const remove = sinon.spy(abort.signal, 'removeEventListener');
    await start(0);
    for (let i = 1; i <= 50; i++) {
      await answer(step(events(i, i), i));
      source.changes.announce();
      await settle();
    }
    expect(add.callCount - remove.callCount).to.be.within(0, 1);
  });
});

describe('backoffMs', () => {
  it('grows from tens of milliseconds to two seconds and stays there', () => {
    for (let attempt = 0; attempt < 200; attempt++) {
      const full = Math.min(2_000, 25 * 2 ** attempt);
      expect(backoffMs(attempt)).to.be.within(full / 2, full);
    }
  });
});
