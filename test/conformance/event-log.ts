import { randomInt, randomUUID } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import type { AppendOutcome, EventLog, StreamAppend } from '../../commands/ports/event-log.ts';
import { START } from '../../schemas/event-envelope.ts';
import type { EventFilter, ExpectedRevision, LogMessage, NewEvent, Position, RecordedEvent } from '../../schemas/event-envelope.ts';
import { LOG_LIMITS } from '../../schemas/log-limits.ts';
import { appendOne, appendSurely, appendTo, collect, newEvent, newEvents, stream, takeUntil } from '../support/log-events.ts';

/** A fault that hits the log between an append's call and its outcome. */
export interface LogCut {
  readonly name: string;
  /** Lets the fault strike at the next append; `undefined` afterwards means that the append got through unharmed. */
  arm(): Promise<void>;
  /** Whether an append that the fault hit was written: surely, surely not, or either way. */
  readonly written: 'always' | 'never' | 'perhaps';
}

/** A log under test, empty at the start. */
export interface LogSubject {
  readonly log: EventLog;
  /** Another instance on the same data, as another process would have. */
  another(): Promise<EventLog>;
  readonly cuts: readonly LogCut[];
  /** Takes away what the log stands on while `meanwhile` runs, and gives it back. */
  restart(meanwhile: () => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

const appended = (outcome: AppendOutcome): Extract<AppendOutcome, { outcome: 'appended' }> => {
  if (outcome.outcome !== 'appended')
    throw new Error(
      `Expected an append to succeed: ${JSON.stringify(outcome, (_, value: unknown) => (value instanceof Error ? value.stack : value))}`,
    );
  return outcome;
};

const idsOf = (events: readonly { readonly eventId: string }[]): string[] => events.map(({ eventId }) => eventId);

/** Every event once, in order of position, and each stream's revisions without a gap from where they start. */
const expectOrdered = (events: readonly RecordedEvent[]): void => {
  const ends = new Map<string, number>();
  let last = START;
  for (const { position, stream: name, revision } of events) {
    if (position <= last) throw new Error(`Position ${position} came after ${last}.`);
    last = position;
    const end = ends.get(name);
    if (end !== undefined && revision !== end + 1) throw new Error(`Revision ${revision} of ${name} came after ${end}.`);
    ends.set(name, revision);
  }
};

const caughtUp = (_: readonly RecordedEvent[], message: LogMessage): boolean => message.kind === 'caughtUp';

export interface LogTraits {
  /** Whether positions are counted, so that none is left out. Where they are not, they only grow. */
  readonly gapless: boolean;
  /** Events of the longest stream; as many as a store on disk has no trouble with unless given. */
  readonly longStream?: number;
}

/**
 * What every event log must do. The subject is made afresh for each test, or for few of them where making it is dear.
 */
export const describeEventLog = (
  name: string,
  makeSubject: () => Promise<LogSubject>,
  { gapless, longStream = 100_000 }: LogTraits = { gapless: true },
): void => {
  describe(`the event log on ${name}`, function () {
    this.timeout(120_000);
    let subject: LogSubject;
    let log: EventLog;
    let unique: string;
    let abort: AbortController;

    before(async () => {
      subject = await makeSubject();
      ({ log } = subject);
    });
    beforeEach(() => {
      unique = randomUUID().slice(0, 8);
      abort = new AbortController();
    });
    afterEach(() => abort.abort());
    after(() => subject?.close());

    const nameOf = (id: string): string => `test-${unique}-${id}`;
    const at = (id: string, expected: ExpectedRevision, events?: readonly NewEvent[]): StreamAppend =>
      appendTo(nameOf(id), expected, events);
    const read = (id: string): Promise<RecordedEvent[]> => collect(log.readStream(stream(nameOf(id))));
    const follow = (after: Position, filter?: EventFilter, signal = abort.signal): AsyncIterable<LogMessage> =>
      log.subscribe({ after, signal, ...(filter === undefined ? {} : { filter }) });

    describe('appending', () => {
      it('gives back exactly what was appended, with its place in the stream and in the log', async () => {
        const before = await log.head();
        const data = {
          text: 'naïve ☃ 🙂 \u0000 \ud800 " \\ \n \u2028',
          numbers: [0, -0.5, 1e21, 5e-324, Number.MAX_SAFE_INTEGER],
          nested: { z: 1, a: [null, true, { deep: {} }], absent: undefined },
          'odd key ☃': '',
          amount: '12345678901234567890',
        };
        const events = [newEvent({ type: 'MessagePosted', data }), newEvent({ data: { second: true } })];
        const outcome = appended(await appendOne(log, at('a', 'no_stream', events)));
        expect(outcome).to.deep.equal({ outcome: 'appended', revision: 1, position: outcome.position, repeated: false });
        expect(outcome.position > before).to.equal(true);
        expect(await log.head()).to.equal(outcome.position);

        const found = await read('a');
        expect(found).to.have.length(2);
        found.forEach((event, i) => {
          const given = events[i] as NewEvent;
          // The bodies may be made when they are looked at.
          const { recordedAt, position, data: body, metadata, ...rest } = event;
          expect({ ...rest, data: body, metadata }).to.deep.equal({
            ...JSON.parse(JSON.stringify(given)),
            stream: nameOf('a'),
            revision: i,
          });
          expect(JSON.stringify(event.data)).to.equal(JSON.stringify(given.data));
          expect(new Date(recordedAt).toISOString()).to.equal(recordedAt);
          expect(typeof position).to.equal('bigint');
        });
        expect(found[1]?.position).to.equal(outcome.position);
      });

      it('checks the expected revision: exact, no stream, stream exists, any', async () => {
        const conflict = (actual: number | 'no_stream'): AppendOutcome => ({ outcome: 'conflict', actual });
        expect(await appendOne(log, at('a', 0))).to.deep.equal(conflict('no_stream'));
        expect(await appendOne(log, at('a', 'stream_exists'))).to.deep.equal(conflict('no_stream'));
        expect(appended(await appendOne(log, at('a', 'any', newEvents(2)))).revision).to.equal(1);
        expect(await appendOne(log, at('a', 'no_stream'))).to.deep.equal(conflict(1));
        expect(await appendOne(log, at('a', 0))).to.deep.equal(conflict(1));
        expect(await appendOne(log, at('a', 2))).to.deep.equal(conflict(1));
        expect(appended(await appendOne(log, at('a', 1))).revision).to.equal(2);
        expect(appended(await appendOne(log, at('a', 'stream_exists'))).revision).to.equal(3);
        expect(appended(await appendOne(log, at('a', 'any'))).revision).to.equal(4);
        expect(appended(await appendOne(log, at('b', 'no_stream'))).revision).to.equal(0);
        expect((await read('a')).map(({ revision }) => revision)).to.deep.equal([0, 1, 2, 3, 4]);
      });

      it('gives each append of a batch its own outcome, in order, and lets no conflict fail another', async () => {
        appended(await appendOne(log, at('old', 'no_stream', newEvents(3))));
        const batch = [
          at('new', 'no_stream'),
          at('old', 0),
          at('old', 2, newEvents(2)),
          at('none', 'stream_exists'),
          at('old', 4),
          at('new', 0),
          at('new', 0),
          at('other', 'any', newEvents(3)),
        ];
        const outcomes = await log.append(batch);
        expect(
          outcomes.map((one) =>
            one.outcome === 'appended' ? one.revision : `${one.outcome} ${one.outcome === 'conflict' ? one.actual : ''}`,
          ),
        ).to.deep.equal([0, 'conflict 2', 4, 'conflict no_stream', 5, 1, 'conflict 1', 2]);
        const written = batch.filter((_, i) => outcomes[i]?.outcome === 'appended').flatMap(({ events }) => idsOf(events));
        const recorded = (await collect(log.readAll())).filter((event) => event.stream.startsWith(nameOf('')));
        expect(idsOf(recorded).slice(3)).to.deep.equal(written);
        expectOrdered(recorded);
        expect(await read('none')).to.deep.equal([]);
      });

      it('counts what earlier appends of a batch add to the same stream', async () => {
        const outcomes = await log.append(Array.from({ length: 50 }, (_, i) => at('a', i === 0 ? 'no_stream' : i - 1)));
        expect(outcomes.map((one) => appended(one).revision)).to.deep.equal(Array.from({ length: 50 }, (_, i) => i));
        const positions = outcomes.map((one) => appended(one).position);
        if (gapless) expect(positions).to.deep.equal(Array.from({ length: 50 }, (_, i) => (positions[0] as bigint) + BigInt(i)));
        const found = await read('a');
        expect(positions).to.deep.equal(found.map(({ position }) => position));
        expectOrdered(found);
      });

      it('answers an empty batch with no outcomes', async () => {
        expect(await log.append([])).to.deep.equal([]);
      });

      it('lets positions grow, and leaves no gap between them where they are counted, whatever is refused', async () => {
        appended(await appendOne(log, at('a', 'no_stream')));
        const before = await log.head();
        await log.append([at('a', 7), at('a', 0), at('a', 'no_stream'), at('b', 'stream_exists'), at('b', 'any')]);
        await log.append([at('a', 7), at('b', 9)]);
        await log.append([at('a', 1)]);
        // Refused ones between others, each to a stream of its own.
        const outcomes = await log.append([
          at('c', 'any', newEvents(2)),
          at('a', 7, newEvents(3)),
          at('d', 'any'),
          at('b', 9),
          at('e', 'any', newEvents(2)),
        ]);
        const after = await collect(log.readAll({ after: before }));
        expectOrdered(after);
        const places = after.map(({ position }) => position);
        expect(places).to.have.length(8);
        if (gapless) expect(places.map((position) => Number(position - before))).to.deep.equal([1, 2, 3, 4, 5, 6, 7, 8]);
        expect(outcomes.filter(({ outcome }) => outcome === 'appended').map((one) => appended(one).position)).to.deep.equal(
          [5, 6, 8].map((place) => places[place - 1]),
        );
      });

      it('keeps an append of many events whole', async () => {
        const many = newEvents(LOG_LIMITS.appendEvents);
        expect(appended(await appendOne(log, at('a', 'no_stream', many))).revision).to.equal(LOG_LIMITS.appendEvents - 1);
        expect(idsOf(await read('a'))).to.deep.equal(idsOf(many));
      });
    });

    describe('repeating an append', () => {
      it('finds it done, with any expected revision, however far the stream has moved', async () => {
        const first = at('a', 'no_stream', newEvents(2));
        const done = appended(await appendOne(log, first));
        const repeated = { ...done, repeated: true };
        expect(await appendOne(log, first)).to.deep.equal(repeated);
        await appendOne(log, at('a', 1, newEvents(3)));
        for (const expected of ['no_stream', 'any', 'stream_exists', 0, 1, 4, 9] as const) {
          expect(await appendOne(log, { ...first, expectedRevision: expected }), String(expected)).to.deep.equal(repeated);
        }
        expect(await read('a')).to.have.length(5);
      });

      it('works among others in a batch, and for a batch as a whole', async () => {
        const known = at('a', 'no_stream', newEvents(2));
        const done = appended(await appendOne(log, known));
        const batch = [at('b', 'no_stream'), known, at('a', 1), { ...known, expectedRevision: 'any' as const }, at('c', 'any'), at('c', 5)];
        const outcomes = await log.append(batch);
        expect(outcomes[1]).to.deep.equal({ ...done, repeated: true });
        expect(outcomes[3]).to.deep.equal({ ...done, repeated: true });
        expect(appended(outcomes[2] as AppendOutcome)).to.include({ revision: 2, repeated: false });
        expect(outcomes[5]).to.deep.equal({ outcome: 'conflict', actual: 0 });
        const again = await log.append(batch);
        expect(again).to.deep.equal(outcomes.map((one) => (one.outcome === 'appended' ? { ...one, repeated: true } : one)));
      });

      it('is recognised within one batch', async () => {
        const events = newEvents(2);
        const outcomes = await log.append([
          at('a', 'no_stream', events),
          at('a', 'no_stream', events),
          at('a', 'any', events),
          at('a', 1),
          at('a', 0),
        ]);
        expect(outcomes.map((one) => (one.outcome === 'appended' ? [one.revision, one.repeated] : one.outcome))).to.deep.equal([
          [1, false],
          [1, true],
          [1, true],
          [2, false],
          'conflict',
        ]);
      });

      it('is a conflict when only some of the events are there, or not one after the other', async () => {
        const [a, b, c] = newEvents(3) as [NewEvent, NewEvent, NewEvent];
        await appendOne(log, at('a', 'no_stream', [a]));
        await appendOne(log, at('a', 0));
        await appendOne(log, at('a', 1, [b]));
        const conflict = { outcome: 'conflict', actual: 2 };
        for (const expected of ['any', 2, 0] as const) {
          expect(await appendOne(log, at('a', expected, [a, c])), `some, ${expected}`).to.deep.equal(conflict);
          expect(await appendOne(log, at('a', expected, [c, b])), `some, ${expected}`).to.deep.equal(conflict);
          expect(await appendOne(log, at('a', expected, [a, b])), `apart, ${expected}`).to.deep.equal(conflict);
        }
        expect(idsOf(await read('a'))).to.not.include(c.eventId);
        expect(await read('a')).to.have.length(3);
      });

      it('is not seen in another stream: an id belongs to its stream', async () => {
        const events = newEvents(1);
        appended(await appendOne(log, at('a', 'no_stream', events)));
        expect(appended(await appendOne(log, at('b', 'no_stream', events))).repeated).to.equal(false);
      });

      it('sees through the case of an id', async () => {
        const id = randomUUID();
        appended(await appendOne(log, at('a', 'no_stream', [newEvent({ eventId: id.toUpperCase() })])));
        expect(appended(await appendOne(log, at('a', 'any', [newEvent({ eventId: id })]))).repeated).to.equal(true);
        expect(idsOf(await read('a'))).to.deep.equal([id]);
      });
    });

    describe('limits', () => {
      /** Data whose JSON has exactly so many bytes, mostly of two-byte characters. */
      const dataOf = (bytes: number): { readonly text: string } => {
        const room = bytes - Buffer.byteLength(JSON.stringify({ text: '' }));
        return { text: 'é'.repeat(Math.floor(room / 2)) + 'x'.repeat(room % 2) };
      };
      const reasonOf = async (append: StreamAppend): Promise<string> => {
        const outcome = await appendOne(log, append);
        return outcome.outcome === 'rejected' ? outcome.reason : outcome.outcome;
      };

      it('take an event of the greatest size and refuse one byte more', async () => {
        const largest = newEvent({ data: dataOf(LOG_LIMITS.eventBytes) });
        expect(Buffer.byteLength(JSON.stringify(largest.data))).to.equal(LOG_LIMITS.eventBytes);
        appended(await appendOne(log, at('a', 'no_stream', [largest])));
        expect((await read('a'))[0]?.data).to.deep.equal(largest.data);
        expect(await reasonOf(at('a', 0, [newEvent({ data: dataOf(LOG_LIMITS.eventBytes + 1) })]))).to.equal('event_too_large');
        expect(await reasonOf(at('a', 0, [newEvent({ data: { text: 'x'.repeat(LOG_LIMITS.eventBytes) } })]))).to.equal('event_too_large');
      });

      it('take an append of the greatest size and refuse one byte, or one event, more', async () => {
        const part = LOG_LIMITS.appendBytes / 8;
        const full = Array.from({ length: 8 }, () => newEvent({ data: dataOf(part) }));
        appended(await appendOne(log, at('a', 'no_stream', full)));
        expect((await read('a')).map(({ data }) => data)).to.deep.equal(full.map(({ data }) => data));
        const over = [...full.slice(1), newEvent({ data: dataOf(part + 1) })].map((event) => ({ ...event, eventId: newEvent().eventId }));
        expect(await reasonOf(at('a', 7, over))).to.equal('append_too_large');
        expect(await reasonOf(at('a', 7, newEvents(LOG_LIMITS.appendEvents + 1)))).to.equal('append_too_large');
      });

      it('refuse an append without events, and what cannot be stored as given', async () => {
        expect(await reasonOf(at('a', 'any', []))).to.equal('append_empty');
        const event = newEvent();
        const odd: readonly StreamAppend[] = [
          at('a', 'any', [{ ...event, data: { amount: 1n } as never }]),
          at('a', 'any', [{ ...event, data: [] as never }]),
          at('a', 'any', [{ ...event, eventId: 'not-an-id' as never }]),
          at('a', 'any', [{ ...event, type: 'Nul\0' }]),
          at('a', 'any', [{ ...event, schemaVersion: 0 }]),
          at('a', 'any', [event, event]),
          at('a', -1),
          at('a', 0.5),
          { ...at('a', 'any'), stream: 'test-\0' as never },
          { ...at('a', 'any'), stream: 'test-\ud800' as never },
          { ...at('a', 'any'), stream: 'nohyphen' as never },
        ];
        for (const [i, append] of odd.entries()) expect(await reasonOf(append), String(i)).to.equal('append_malformed');
      });

      it('hit only the append that breaks them', async () => {
        const outcomes = await log.append([
          at('a', 'no_stream'),
          at('b', 'any', []),
          at('a', 0),
          at('c', 'any', [newEvent({ data: dataOf(LOG_LIMITS.eventBytes + 1) })]),
          at('a', 1),
        ]);
        expect(outcomes.map(({ outcome }) => outcome)).to.deep.equal(['appended', 'rejected', 'appended', 'rejected', 'appended']);
        expect((await read('a')).map(({ revision }) => revision)).to.deep.equal([0, 1, 2]);
      });

      it('let a batch be far larger than one append', async () => {
        const text = 'x'.repeat(LOG_LIMITS.eventBytes - 100);
        const before = await log.head();
        const outcomes = await log.append(Array.from({ length: 24 }, (_, i) => at(`s${i % 5}`, 'any', [newEvent({ data: { text } })])));
        expect(outcomes.every(({ outcome }) => outcome === 'appended')).to.equal(true);
        let bytes = 0;
        for await (const message of follow(before)) {
          if (message.kind === 'events') for (const { data } of message.events) bytes += (data['text'] as string).length;
          if (message.kind === 'caughtUp') break;
        }
        expect(bytes).to.equal(24 * text.length);
      });
    });

    describe('reading a stream', () => {
      it('yields nothing for one that does not exist', async () => {
        expect(await read('none')).to.deep.equal([]);
        expect(await collect(log.readStream(stream(nameOf('none')), { direction: 'backwards' }))).to.deep.equal([]);
      });

      it('goes forwards and backwards, from anywhere, as far as it is told', async () => {
        await log.append([at('a', 'no_stream', newEvents(700)), at('b', 'no_stream', newEvents(5)), at('a', 699, newEvents(700))]);
        const revisions = async (options: Parameters<EventLog['readStream']>[1]): Promise<number[]> =>
          (await collect(log.readStream(stream(nameOf('a')), options))).map(({ revision }) => revision);
        const range = (from: number, to: number): number[] =>
          Array.from({ length: Math.abs(to - from) + 1 }, (_, i) => (from <= to ? from + i : from - i));
        expect(await revisions({})).to.deep.equal(range(0, 1399));
        expect(await revisions({ from: 499 })).to.deep.equal(range(499, 1399));
        expect(await revisions({ from: 1399 })).to.deep.equal([1399]);
        expect(await revisions({ from: 1400 })).to.deep.equal([]);
        expect(await revisions({ from: 10, limit: 3 })).to.deep.equal([10, 11, 12]);
        expect(await revisions({ limit: 500 })).to.deep.equal(range(0, 499));
        expect(await revisions({ limit: 501 })).to.deep.equal(range(0, 500));
        expect(await revisions({ limit: 0 })).to.deep.equal([]);
        expect(await revisions({ direction: 'backwards' })).to.deep.equal(range(1399, 0));
        expect(await revisions({ direction: 'backwards', limit: 1 })).to.deep.equal([1399]);
        expect(await revisions({ direction: 'backwards', from: 600, limit: 601 })).to.deep.equal(range(600, 0));
        expect(await revisions({ direction: 'backwards', from: 0 })).to.deep.equal([0]);
        expect(await revisions({ direction: 'backwards', from: 5_000, limit: 2 })).to.deep.equal([1399, 1398]);
      });

      it('may be left at any point', async () => {
        await appendOne(log, at('a', 'no_stream', newEvents(900)));
        for await (const { revision } of log.readStream(stream(nameOf('a')))) if (revision === 600) break;
        expect((await read('a')).length).to.equal(900);
      });
    });

    describe('reading the log', () => {
      it('goes from after a position up to another one, with a filter and a limit', async () => {
        const before = await log.head();
        const wanted: StreamAppend[] = Array.from({ length: 1_200 }, (_, i) =>
          appendTo(`${['user', 'token', 'account'][i % 3] as string}-${unique}`, 'any', [
            newEvent({ type: i % 2 === 0 ? `Even${unique}` : `Odd${unique}` }),
          ]),
        );
        const positions = (await log.append(wanted)).map((one) => appended(one).position);
        const placeOf = new Map(positions.map((position, i) => [position, i]));
        const places = async (options: Parameters<EventLog['readAll']>[0]): Promise<number[]> =>
          (await collect(log.readAll({ after: before, ...options }))).map(({ position }) => placeOf.get(position) ?? -1);
        const those = (isWanted: (i: number) => boolean): number[] => wanted.map((_, i) => i).filter(isWanted);
        const position = (i: number): Position => positions[i] as Position;

        expect(await places({})).to.deep.equal(those(() => true));
        expect(await places({ after: position(9), upTo: position(1_100) })).to.deep.equal(those((i) => i > 9 && i <= 1_100));
        expect(await places({ upTo: (position(0) + 1_000_000n) as Position, limit: 700 })).to.deep.equal(those((i) => i < 700));
        expect(await places({ upTo: before })).to.deep.equal([]);
        expect(await places({ after: position(1_199) })).to.deep.equal([]);
        expect(await places({ filter: { categories: ['user'] } })).to.deep.equal(those((i) => i % 3 === 0));
        expect(await places({ filter: { categories: ['user', 'account'], types: [`Odd${unique}`] }, after: position(99) })).to.deep.equal(
          those((i) => i > 99 && i % 3 !== 1 && i % 2 === 1),
        );
        expect(await places({ filter: { types: [`Even${unique}`, 'Nothing'] }, limit: 550 })).to.deep.equal(
          those((i) => i % 2 === 0).slice(0, 550),
        );
        expect(await places({ filter: { types: [`Even${unique}`] }, upTo: position(50) })).to.deep.equal(
          those((i) => i % 2 === 0 && i <= 50),
        );
        expect(await places({ filter: { types: [] } })).to.deep.equal([]);
        expect(await places({ filter: { categories: ['nothing'] } })).to.deep.equal([]);
        expect(await places({ filter: {} })).to.deep.equal(those(() => true));
      });

      it('ends at the head as it was, though others go on appending', async () => {
        const before = await log.head();
        await appendOne(log, at('a', 'any', newEvents(1_000)));
        const head = await log.head();
        const seen: Position[] = [];
        for await (const { position } of log.readAll({ after: before })) {
          seen.push(position);
          if (seen.length % 100 === 0) await appendOne(log, at('b', 'any'));
        }
        expect(seen.at(-1)).to.equal(head);
        expect(seen).to.have.length(1_000);
      });

      it('goes on from any number, whether an event lies there or not', async () => {
        const before = await log.head();
        await appendOne(log, at('a', 'any', newEvents(3)));
        const [first, second, third] = (await collect(log.readAll({ after: before }))).map(({ position }) => position) as [
          Position,
          Position,
          Position,
        ];
        const from = async (after: bigint, upTo?: bigint): Promise<Position[]> =>
          (await collect(log.readAll({ after: after as Position, ...(upTo === undefined ? {} : { upTo: upTo as Position }) }))).map(
            ({ position }) => position,
          );
        expect(await from(second - 1n)).to.deep.equal([second, third]);
        expect(await from(second - 1n, second)).to.deep.equal([second]);
        expect(await from((first + second) / 2n)).to.deep.equal([second, third]);
        expect(await from((second + third) / 2n, second)).to.deep.equal([]);
        expect(await from(third + 1n)).to.deep.equal([]);
        expect((await from(0n)).slice(-3)).to.deep.equal([first, second, third]);
      });
    });

    describe('subscribing', () => {
      /** The events up to a position, in however many messages, and the word that this was all. */
      const untilCaughtUp = async (messages: AsyncIterator<LogMessage>, end: Position): Promise<RecordedEvent[]> => {
        const events: RecordedEvent[] = [];
        for (;;) {
          const message = (await messages.next()).value as LogMessage;
          if (message.kind === 'events') events.push(...message.events);
          else if (message.kind === 'caughtUp' && message.position >= end) {
            expect(message.position).to.equal(end);
            return events;
          }
        }
      };

      it('catches up, says so, and goes on live', async () => {
        const before = await log.head();
        const old = newEvents(3);
        await appendOne(log, at('a', 'any', old));
        const messages = follow(before)[Symbol.asyncIterator]();
        expect(idsOf(await untilCaughtUp(messages, await log.head()))).to.deep.equal(idsOf(old));
        const fresh = newEvents(2);
        const waiting = messages.next();
        const { position } = appended(await appendOne(log, at('b', 'any', fresh)));
        const live = (await waiting).value as LogMessage;
        const first = live.kind === 'events' ? live.events : [];
        expect(first.length).to.be.greaterThan(0);
        expect(idsOf([...first, ...(await untilCaughtUp(messages, position))])).to.deep.equal(idsOf(fresh));
      });

      it('hands over live exactly what a reader finds', async () => {
        const messages = follow(await log.head())[Symbol.asyncIterator]();
        await messages.next();
        await log.append([
          at('a', 'any', [newEvent({ data: { gone: undefined, text: '\ud83d\u0000', n: 1e21 } })]),
          at('a', 'any', newEvents(2)),
          at('b', 'any'),
        ]);
        expect(await untilCaughtUp(messages, await log.head())).to.deep.equal([...(await read('a')), ...(await read('b'))]);
      });

      it('says caught up at once when there is nothing, and nothing twice', async () => {
        const head = await log.head();
        const messages = follow(head)[Symbol.asyncIterator]();
        expect((await messages.next()).value).to.deep.equal({ kind: 'caughtUp', position: head });
        const waiting = messages.next();
        await log.append([at('a', 7)]);
        appended(await appendOne(log, at('a', 'any')));
        expect(((await waiting).value as LogMessage).kind).to.equal('events');
      });

      it('gives checkpoints for what the filter passes over, never ahead of an event it wants', async () => {
        const before = await log.head();
        const wanted = newEvents(2, { type: `Wanted${unique}` });
        await log.append([
          at('a', 'any', newEvents(10)),
          at('a', 'any', wanted.slice(0, 1)),
          at('b', 'any', newEvents(700)),
          at('b', 'any', wanted.slice(1)),
          at('c', 'any', newEvents(20)),
        ]);
        const head = await log.head();
        let passed = before;
        const seen: RecordedEvent[] = [];
        for await (const message of follow(before, { types: [`Wanted${unique}`] })) {
          if (message.kind === 'events') {
            expect(message.events.every(({ position }) => position > passed)).to.equal(true);
            seen.push(...message.events);
            passed = (message.events.at(-1) as RecordedEvent).position;
          } else {
            expect(message.position >= passed).to.equal(true);
            passed = message.position;
          }
          if (message.kind === 'caughtUp') break;
        }
        expect(idsOf(seen)).to.deep.equal(idsOf(wanted));
        expect(passed).to.equal(head);
      });

      it('keeps checkpoints coming while only unwanted events are appended live', async () => {
        const messages = follow(await log.head(), { types: [`Wanted${unique}`] })[Symbol.asyncIterator]();
        await messages.next();
        const { position } = appended(await appendOne(log, at('a', 'any')));
        expect((await messages.next()).value).to.deep.equal({ kind: 'checkpoint', position });
        expect((await messages.next()).value).to.deep.equal({ kind: 'caughtUp', position });
      });

      it('filters by category and type, caught up and live alike', async () => {
        const before = await log.head();
        const filter = { categories: ['user'], types: [`Wanted${unique}`] };
        const mixed = (): StreamAppend[] => [
          appendTo(`user-${unique}`, 'any', [newEvent({ type: `Wanted${unique}` }), newEvent()]),
          appendTo(`token-${unique}`, 'any', [newEvent({ type: `Wanted${unique}` })]),
        ];
        const old = mixed();
        await log.append(old);
        const messages = follow(before, filter);
        const late = mixed();
        const seen: string[] = [];
        for await (const message of messages) {
          if (message.kind === 'events') seen.push(...idsOf(message.events));
          if (message.kind === 'caughtUp' && seen.length === 1) await log.append(late);
          if (seen.length === 2) break;
        }
        expect(seen).to.deep.equal([old, late].map(([append]) => append?.events[0]?.eventId));
      });

      it('ends at once on abort: while it waits, while it reads, and before it began', async () => {
        const waiting = new AbortController();
        const messages = follow(await log.head(), undefined, waiting.signal)[Symbol.asyncIterator]();
        await messages.next();
        const next = messages.next();
        waiting.abort();
        expect(await next).to.deep.equal({ value: undefined, done: true });

        const reading = new AbortController();
        const started = follow(START, undefined, reading.signal)[Symbol.asyncIterator]();
        const read = started.next();
        reading.abort();
        expect(await read).to.deep.equal({ value: undefined, done: true });

        expect(await collect(follow(START, undefined, AbortSignal.abort()))).to.deep.equal([]);
      });

      it('may be left in the middle, and taken up again from the last event seen', async () => {
        const before = await log.head();
        const events = newEvents(1_000);
        await appendOne(log, at('a', 'any', events));
        const seen: RecordedEvent[] = [];
        while (seen.length < 1_000) {
          for await (const message of follow(seen.at(-1)?.position ?? before)) {
            if (message.kind !== 'events') continue;
            seen.push(...message.events.slice(0, randomInt(1, message.events.length + 1)));
            break;
          }
        }
        expect(idsOf(seen)).to.deep.equal(idsOf(events));
      });

      it('reads ahead no more than one step for a slow consumer', async () => {
        const before = await log.head();
        await appendOne(log, at('a', 'any', newEvents(1_000)));
        await appendOne(log, at('a', 'any', newEvents(1_000)));
        for await (const message of follow(before)) {
          if (message.kind !== 'events') break;
          expect(message.events.length).to.be.at.most(500);
        }
      });

      it('is woken by another instance, as by another process', async () => {
        const other = await subject.another();
        try {
          const messages = follow(await log.head())[Symbol.asyncIterator]();
          await messages.next();
          const mine = newEvents(2);
          const { position } = appended(await appendOne(other, at('a', 'any', mine)));
          expect(idsOf(await untilCaughtUp(messages, position))).to.deep.equal(idsOf(mine));
        } finally {
          await other.close();
        }
      });

      it('refuses to go on from a position that the log does not have', async () => {
        const beyond = ((await log.head()) + 10n) as Position;
        const error = await collect(follow(beyond)).catch((thrown: unknown) => thrown);
        expect(error).to.be.instanceOf(Error).with.property('name', 'LogBehindReader');
      });

      it('ends when the log is closed', async () => {
        const other = await subject.another();
        const messages = other.subscribe({ after: await other.head(), signal: abort.signal })[Symbol.asyncIterator]();
        await messages.next();
        const next = messages.next();
        await other.close();
        expect(await next).to.deep.equal({ value: undefined, done: true });
      });
    });

    describe('under load', () => {
      /** 64 appenders on shared and own streams, who re-decide as they must; returns the ids of what each of them was told is appended. */
      const appendLoad = async (logs: readonly EventLog[], each: number): Promise<Set<string>> => {
        const told = new Set<string>();
        const ends = new Map<string, ExpectedRevision>();
        await Promise.all(
          Array.from({ length: 64 }, async (_, worker) => {
            const on = logs[worker % logs.length] as EventLog;
            for (let i = 0; i < each; i++) {
              const id = i % 4 === 0 ? `shared${worker % 8}` : `own${worker}`;
              const events = newEvents(1 + ((worker + i) % 3), { data: { worker, i } });
              for (;;) {
                const outcome = await appendOne(on, at(id, ends.get(id) ?? 'no_stream', events));
                // Nothing is broken here: many at a time must not get in each other's way.
                if (outcome.outcome === 'unknown') throw outcome.cause;
                if (outcome.outcome === 'rejected') throw new Error(outcome.message);
                ends.set(id, outcome.outcome === 'appended' ? outcome.revision : outcome.actual);
                if (outcome.outcome === 'conflict') continue;
                for (const { eventId } of events) told.add(eventId);
                break;
              }
            }
          }),
        );
        return told;
      };

      const readUntil = (position: () => Position | undefined, after: Position, delayed = Promise.resolve()): Promise<RecordedEvent[]> =>
        delayed.then(() =>
          takeUntil(follow(after), (_, message) => {
            const end = position();
            return end !== undefined && message.kind === 'caughtUp' && message.position >= end;
          }),
        );

      it('shows a reader each event of 64 appenders once and in order', async () => {
        const before = await log.head();
        const goal: { end?: Position } = {};
        const reader = readUntil(() => goal.end, before);
        const told = await appendLoad([log], 12);
        goal.end = await log.head();
        // Wakes the reader should it have caught up before the end was known.
        await appendOne(log, at('last', 'any'));
        const seen = await reader;
        expectOrdered(seen);
        expect(new Set(idsOf(seen.filter(({ stream: name }) => name !== nameOf('last'))))).to.deep.equal(told);
      });

      it('shows the same to readers that join at random moments, while several instances append', async () => {
        const before = await log.head();
        const other = await subject.another();
        try {
          const goal: { end?: Position } = {};
          const readers: Promise<RecordedEvent[]>[] = [];
          // A reader joins whenever the log has grown by some random number of events.
          const joins = Array.from({ length: 12 }, () => randomInt(0, 600)).sort((a, b) => a - b);
          const joiner = (async () => {
            let grownBy = 0;
            for await (const message of follow(before)) {
              if (message.kind === 'events') grownBy += message.events.length;
              while (joins.length > 0 && grownBy >= (joins[0] as number)) {
                joins.shift();
                readers.push(readUntil(() => goal.end, before));
              }
              if (joins.length === 0) return;
            }
          })();
          const told = await appendLoad([log, other], 8);
          await joiner;
          goal.end = await log.head();
          await appendOne(other, at('last', 'any'));
          expect(readers).to.have.length(12);
          for (const seen of await Promise.all(readers)) {
            expectOrdered(seen);
            expect(new Set(idsOf(seen.filter(({ stream: name }) => name !== nameOf('last'))))).to.deep.equal(told);
          }
        } finally {
          await other.close();
        }
      });

      it(`holds a stream of ${longStream / 1_000} thousand events`, async () => {
        const before = await log.head();
        for (let i = 0; i < longStream / 1_000; i++) {
          appended(await appendOne(log, at('long', i === 0 ? 'no_stream' : i * 1_000 - 1, newEvents(1_000, { data: { i } }))));
        }
        let next = 0;
        for await (const { revision, data } of log.readStream(stream(nameOf('long')))) {
          if (revision !== next || data['i'] !== Math.floor(next / 1_000)) throw new Error(`Revision ${revision} came instead of ${next}.`);
          next += 1;
        }
        expect(next).to.equal(longStream);
        const all = await takeUntil(follow(before), caughtUp);
        expectOrdered(all);
        expect(all).to.have.length(longStream);
        const last = await collect(log.readStream(stream(nameOf('long')), { direction: 'backwards', limit: 1 }));
        expect(last[0]?.revision).to.equal(longStream - 1);
      });
    });

    describe('against a model', () => {
      /** What the port promises, in the plainest form: one append after the other over arrays. */
      const model = (streams: Map<string, string[]>, append: StreamAppend): string => {
        const ids = idsOf(append.events);
        const there = streams.get(append.stream) ?? [];
        const from = there.indexOf(ids[0] as string);
        const end = there.length - 1;
        if (from >= 0 && ids.every((id, i) => there[from + i] === id)) return `repeated ${from + ids.length - 1}`;
        const expected = append.expectedRevision;
        const holds =
          expected === 'any' || (expected === 'no_stream' && end < 0) || (expected === 'stream_exists' && end >= 0) || expected === end;
        if (!holds || (expected === end && end < 0) || ids.some((id) => there.includes(id)))
          return `conflict ${end < 0 ? 'no_stream' : end}`;
        streams.set(append.stream, [...there, ...ids]);
        return `appended ${end + ids.length}`;
      };

      it('any batches have the outcomes and leave the streams that one append after the other would', async () => {
        let run = 0;
        const one = fc.record({
          id: fc.constantFrom('a', 'b', 'c'),
          expected: fc.oneof(fc.constantFrom('no_stream' as const, 'stream_exists' as const, 'any' as const), fc.nat(6)),
          // Few ids, so that appends often repeat, or share some events with, earlier ones.
          places: fc.uniqueArray(fc.nat(9), { minLength: 1, maxLength: 3 }),
        });
        await fc.assert(
          fc.asyncProperty(fc.array(fc.array(one, { maxLength: 8 }), { minLength: 1, maxLength: 5 }), async (batches) => {
            run += 1;
            const ids = Array.from({ length: 10 }, () => randomUUID());
            const streams = new Map<string, string[]>();
            for (const batch of batches) {
              const appends = batch.map(({ id, expected, places }) =>
                at(
                  `${run}${id}`,
                  expected,
                  places.map((place) => newEvent({ eventId: ids[place] as string })),
                ),
              );
              const outcomes = await log.append(appends);
              expect(
                outcomes.map((made) =>
                  made.outcome === 'appended'
                    ? `${made.repeated ? 'repeated' : 'appended'} ${made.revision}`
                    : `${made.outcome} ${made.outcome === 'conflict' ? made.actual : ''}`,
                ),
              ).to.deep.equal(appends.map((append) => model(streams, append)));
              for (const [i, made] of outcomes.entries()) {
                if (made.outcome !== 'appended') continue;
                const { stream: name, events } = appends[i] as StreamAppend;
                const [last] = await collect(log.readStream(name, { from: made.revision, limit: 1 }));
                expect(last).to.include({ position: made.position, eventId: (events.at(-1) as NewEvent).eventId });
              }
            }
            for (const [name, expected] of streams) expect(idsOf(await collect(log.readStream(stream(name))))).to.deep.equal(expected);
          }),
          { numRuns: 60 },
        );
      });
    });

    describe('when what it stands on goes away', () => {
      it('answers unknown to what was under way, or the truth, and recognises the identical append afterwards, in every phase', async () => {
        expect(subject.cuts.length).to.be.greaterThan(0);
        for (const cut of subject.cuts) {
          const id = cut.name.replaceAll(' ', '-');
          appended(await appendSurely(log, at(id, 'no_stream')));
          const hit = at(id, 0, newEvents(3));
          await cut.arm();
          const outcome = await appendOne(log, hit);
          expect(outcome.outcome, cut.name).to.equal('unknown');
          const settled = await appendSurely(log, hit);
          expect(settled, cut.name).to.include({ outcome: 'appended', revision: 3 });
          if (cut.written !== 'perhaps') expect(settled, cut.name).to.include({ repeated: cut.written === 'always' });
          expect(idsOf((await read(id)).slice(1)), cut.name).to.deep.equal(idsOf(hit.events));
          expect(appended(await appendOne(log, at(id, 3))).revision, cut.name).to.equal(4);
        }
      });

      it('loses nothing and doubles nothing for appenders and readers through many cuts', async () => {
        const before = await log.head();
        const goal: { end?: Position } = {};
        const seen: RecordedEvent[] = [];
        const reader = (async () => {
          for await (const message of follow(before)) {
            if (message.kind === 'events') seen.push(...message.events);
            if (goal.end !== undefined && message.kind === 'caughtUp' && message.position >= goal.end) return;
          }
        })();
        const told: string[] = [];
        let revision: ExpectedRevision = 'no_stream';
        for (let i = 0; i < 24; i++) {
          if (i % 2 === 0) await (subject.cuts[randomInt(subject.cuts.length)] as LogCut).arm();
          const events = newEvents(1 + (i % 3));
          const outcome = await appendSurely(log, at('a', revision, events));
          told.push(...idsOf(events));
          ({ revision } = appended(outcome));
        }
        goal.end = await log.head();
        appended(await appendSurely(log, at('last', 'any')));
        await reader;
        expectOrdered(seen);
        expect(idsOf(seen.filter(({ stream: name }) => name === nameOf('a')))).to.deep.equal(told);
      });

      it('takes up subscriptions and appends again by itself', async () => {
        const messages = follow(await log.head())[Symbol.asyncIterator]();
        await messages.next();
        const waiting = messages.next();
        await subject.restart(async () => {
          const outcome = await appendOne(log, at('during', 'any'));
          expect(outcome.outcome).to.be.oneOf(['unknown', 'appended']);
        });
        const mine = at('after', 'any');
        appended(await appendSurely(log, mine));
        let heard = (await waiting).value as LogMessage;
        while (heard.kind !== 'events' || !idsOf(heard.events).includes(mine.events[0]?.eventId as string))
          heard = (await messages.next()).value as LogMessage;
        expect(idsOf(await read('after'))).to.deep.equal(idsOf(mine.events));
      });
    });
  });
};
