import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import type { OutgoingRecord, RecordPublisher, Records } from '../../projections/ports/records.ts';
import { StoredOffsets, startReader } from '../support/kafka/reading.ts';
import type { Reader, ReaderOptions } from '../support/kafka/reading.ts';

export interface RecordsSubject {
  readonly records: Records;
  /** To begin the names of topics, groups and transactional ids with. */
  readonly prefix: string;
  /** Makes an earlier part of a partition vanish, as retention does. */
  forget(topic: string, partition: number, before: bigint): Promise<void>;
  close(): Promise<void>;
}

const numbered = (topic: string, from: number, to: number, key = 'k'): OutgoingRecord[] =>
  Array.from({ length: to - from }, (_, i) => ({ topic, key, value: String(from + i) }));

const isUnheardOf = (cause: Error): boolean => /does not host this topic-partition/.test(cause.message);

/** A broker may not have heard yet of a topic that was just made. Nothing was written then, and whoever publishes tries again. */
const publishSurely = async (publisher: RecordPublisher, records: readonly OutgoingRecord[]): Promise<void> => {
  let published = await publisher.publish(records);
  while (published.outcome === 'refused' && isUnheardOf(published.cause)) published = await publisher.publish(records);
  expect(published).to.deep.equal({ outcome: 'published' });
};

/** What every adapter of the port `Records` must do. */
export function recordsConformance(name: string, open: () => Promise<RecordsSubject>): void {
  describe(`records: ${name}`, () => {
    let subject: RecordsSubject;
    let topics = 0;
    const readers: Reader[] = [];
    const publish = (records: readonly OutgoingRecord[], id = 'writer'): Promise<void> =>
      publishSurely(subject.records.publisher(subject.prefix + id), records);
    const newTopic = async (partitions = 1): Promise<string> => {
      const topic = `${subject.prefix}t${(topics += 1)}`;
      await subject.records.ensureTopics([{ topic, partitions }]);
      return topic;
    };
    const read = (options: Omit<ReaderOptions, 'group'> & { group?: string }): Reader => {
      const reader = startReader(subject.records, { ...options, group: `${subject.prefix}${options.group ?? `g${readers.length}`}` });
      readers.push(reader);
      return reader;
    };
    const valuesOf = (reader: Reader): string[] => reader.records.map(({ value }) => value?.toString('utf8') ?? '');
    const seen = (reader: Reader, count: number): Promise<void> => reader.changed.until(() => reader.records.length >= count);

    before(async function () {
      this.timeout(120_000);
      subject = await open();
    });
    afterEach(async () => {
      await Promise.all(readers.splice(0).map((reader) => reader.stop()));
    });
    after(() => subject.close());

    it('gives back what was published: key, bytes, headers, an absent value, in order', async () => {
      const topic = await newTopic();
      await publish([
        { topic, key: 'ключ', value: Buffer.from([0, 255, 10]), headers: { type: 'Été', version: '1' } },
        { topic, key: 'k', value: 'text' },
        { topic, key: 'k', value: null },
      ]);
      const reader = read({ topics: [topic] });
      await seen(reader, 3);
      expect(reader.records.map(({ key, value, headers }) => ({ key, value, headers }))).to.deep.equal([
        { key: 'ключ', value: Buffer.from([0, 255, 10]), headers: { type: 'Été', version: '1' } },
        { key: 'k', value: Buffer.from('text'), headers: {} },
        { key: 'k', value: null, headers: {} },
      ]);
      expect(reader.records[0]?.writtenAt).to.be.closeTo(Date.now(), 600_000);
    });

    it('keeps the records of a key in one partition and in order', async () => {
      const topic = await newTopic(4);
      const keys = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
      const publisher = subject.records.publisher(`${subject.prefix}keys`);
      for (let i = 0; i < 5; i += 1)
        await publishSurely(
          publisher,
          keys.flatMap((key) => numbered(topic, i * 10, i * 10 + 10, key)),
        );
      const reader = read({ topics: [topic], concurrency: 4 });
      await seen(reader, keys.length * 50);
      expect(new Set(reader.records.map(({ partition }) => partition)).size).to.be.greaterThan(1);
      for (const key of keys) {
        const own = reader.records.filter((record) => record.key === key);
        expect(new Set(own.map(({ partition }) => partition)).size).to.equal(1);
        expect(own.map(({ value }) => Number(value?.toString()))).to.deep.equal(Array.from({ length: 50 }, (_, i) => i));
      }
    });

    it('publishes all of a batch or nothing', async () => {
      const topic = await newTopic();
      const publisher = subject.records.publisher(`${subject.prefix}all`);
      const refused = await publisher.publish([...numbered(topic, 0, 3), { topic: `${subject.prefix}absent`, key: 'k', value: 'x' }]);
      expect(refused.outcome).to.equal('refused');
      await publishSurely(publisher, numbered(topic, 3, 6));
      const reader = read({ topics: [topic] });
      await seen(reader, 3);
      expect(valuesOf(reader)).to.deep.equal(['3', '4', '5']);
    });

    it('shows nothing of a batch of which one part is refused when others are written already', async () => {
      const topic = await newTopic(3);
      const narrow = `${subject.prefix}narrow`;
      await subject.records.ensureTopics([{ topic: narrow, partitions: 1, settings: { 'max.message.bytes': '1000' } }]);
      const publisher = subject.records.publisher(`${subject.prefix}narrow`);
      const written = ['a', 'b', 'c', 'd', 'e'].flatMap((key) => numbered(topic, 90, 92, key));
      const wide = { topic: narrow, key: 'k', value: randomBytes(5_000) };
      expect((await publisher.publish([...written, wide])).outcome).to.equal('refused');
      await publishSurely(publisher, [...numbered(topic, 0, 3), { ...wide, value: 'x' }]);
      const reader = read({ topics: [topic, narrow] });
      await seen(reader, 4);
      expect(valuesOf(reader).sort()).to.deep.equal(['0', '1', '2', 'x']);
    });

    it('takes an empty batch without a word', async () => {
      await publish([]);
    });

    it('fences the publisher before, whose records nobody sees', async () => {
      const topic = await newTopic();
      const first = subject.records.publisher(`${subject.prefix}same`);
      await publishSurely(first, numbered(topic, 0, 2));
      const second = subject.records.publisher(`${subject.prefix}same`);
      expect(await second.publish(numbered(topic, 2, 4))).to.deep.equal({ outcome: 'published' });
      expect((await first.publish(numbered(topic, 90, 92))).outcome).to.equal('fenced');
      expect((await second.publish(numbered(topic, 4, 6))).outcome).to.equal('published');
      const reader = read({ topics: [topic] });
      await seen(reader, 6);
      expect(valuesOf(reader)).to.deep.equal(['0', '1', '2', '3', '4', '5']);
    });

    it('leaves a topic that is there as it is', async () => {
      const topic = await newTopic(2);
      await publish(numbered(topic, 0, 1));
      await subject.records.ensureTopics([
        { topic, partitions: 5 },
        { topic: `${topic}-other`, partitions: 1 },
      ]);
      await publish(numbered(`${topic}-other`, 0, 1));
      const reader = read({ topics: [topic] });
      await seen(reader, 1);
      expect(reader.assigned[0]).to.have.length(2);
    });

    it('begins where it is told to, and the stored place leads to the rest, no record more or less', async () => {
      const topic = await newTopic();
      const offsets = new StoredOffsets();
      await publish(numbered(topic, 0, 5));
      const first = read({ topics: [topic], offsets, group: 'same' });
      await seen(first, 5);
      await first.stop();
      await publish(numbered(topic, 5, 9));
      const second = read({ topics: [topic], offsets, group: 'same' });
      await seen(second, 4);
      expect(valuesOf(second)).to.deep.equal(['5', '6', '7', '8']);
      const rewound = new StoredOffsets();
      rewound.set({ topic, partition: 0 }, 2n);
      const third = read({ topics: [topic], offsets: rewound });
      await third.changed.until(() => valuesOf(third).includes('8'));
      expect(valuesOf(third)).to.deep.equal(['2', '3', '4', '5', '6', '7', '8']);
    });

    it('says what a partition holds, and asks again when told a place outside it or nothing at all', async () => {
      const topic = await newTopic();
      await publish(numbered(topic, 0, 6));
      await subject.forget(topic, 0, 3n);
      const ranges: { earliest: bigint; end: bigint }[] = [];
      const reader = read({
        topics: [topic],
        assigned: (given) => {
          ranges.push(...given.map(({ earliest, end }) => ({ earliest, end })));
          if (ranges.length === 1) return Promise.reject(new Error('the database is away'));
          return Promise.resolve([{ topic, partition: 0, offset: ranges.length === 2 ? 1n : 4n }]);
        },
      });
      await seen(reader, 2);
      expect(valuesOf(reader)).to.deep.equal(['4', '5']);
      // Behind the six records lies the end of their transaction.
      expect(ranges).to.deep.equal([1, 2, 3].map(() => ({ earliest: 3n, end: 7n })));
    });

    it('asks anew when what it was to read next has vanished', async () => {
      const topic = await newTopic();
      await publish(numbered(topic, 0, 3));
      const places: bigint[] = [];
      const reader = read({
        topics: [topic],
        assigned: ([range]) => {
          places.push(range?.earliest ?? -1n);
          return Promise.resolve([]);
        },
      });
      await seen(reader, 3);
      reader.consumer.pause([{ topic, partition: 0 }]);
      await publish(numbered(topic, 3, 6));
      await publish(numbered(topic, 6, 9));
      await subject.forget(topic, 0, 8n);
      reader.consumer.resume([{ topic, partition: 0 }]);
      await seen(reader, 6);
      expect(valuesOf(reader)).to.deep.equal(['0', '1', '2', '6', '7', '8']);
      expect(places).to.deep.equal([0n, 8n]);
    });

    it('delivers a batch again when its handling failed', async () => {
      const topic = await newTopic();
      await publish(numbered(topic, 0, 4));
      let failures = 0;
      const reader = read({
        topics: [topic],
        batch: () => {
          if ((failures += 1) < 3) throw new Error('not now');
          return Promise.resolve();
        },
      });
      await seen(reader, 4);
      expect(valuesOf(reader)).to.deep.equal(['0', '1', '2', '3']);
      expect(failures).to.equal(3);
    });

    it('delivers the rest later when asked to, and other partitions meanwhile', async () => {
      const topic = await newTopic();
      const other = await newTopic();
      await publish(numbered(topic, 0, 4));
      let asked = 0;
      let waited = 0;
      const reader = read({
        topics: [topic, other],
        batch: ({ records, topic: own }) => {
          if (own !== topic) return Promise.resolve();
          if (asked === 0) {
            asked = Date.now();
            return Promise.resolve({ from: 2n, afterMs: 1_500 });
          }
          waited = Date.now() - asked;
          expect(records[0]?.offset).to.equal(2n);
          return Promise.resolve();
        },
      });
      await seen(reader, 2);
      await publish(numbered(other, 7, 8));
      await seen(reader, 5);
      expect(valuesOf(reader)).to.deep.equal(['0', '1', '7', '2', '3']);
      expect(waited).to.be.at.least(1_490);
    });

    it('delivers nothing of a paused partition, and then all of it', async () => {
      const topic = await newTopic();
      const other = await newTopic();
      const reader = read({ topics: [topic, other] });
      reader.consumer.pause([{ topic, partition: 0 }]);
      await publish([...numbered(topic, 0, 3), ...numbered(other, 10, 11)]);
      await seen(reader, 1);
      expect(valuesOf(reader)).to.deep.equal(['10']);
      const [lag] = (await reader.consumer.lag()).filter((each) => each.topic === topic);
      expect(lag).to.deep.equal({ topic, partition: 0, next: 0n, end: 4n, lag: 4n });
      reader.consumer.resume([{ topic, partition: 0 }]);
      await seen(reader, 4);
      expect(valuesOf(reader)).to.deep.equal(['10', '0', '1', '2']);
    });

    it('hands partitions over when a member joins and when one leaves: every record once', async function () {
      this.timeout(60_000);
      const topic = await newTopic(4);
      const offsets = new StoredOffsets();
      const keys = Array.from({ length: 16 }, (_, i) => `key-${i}`);
      const publisher = subject.records.publisher(`${subject.prefix}hand-over`);
      const round = (value: number): Promise<unknown> => publisher.publish(keys.map((key) => ({ topic, key, value: String(value) })));
      const inHand = new Set<number>();
      const options = {
        topics: [topic],
        offsets,
        group: 'shared',
        concurrency: 4,
        batch: async ({ partition }: { partition: number }) => {
          expect(inHand.has(partition), 'a partition in two hands').to.equal(false);
          inHand.add(partition);
          await new Promise((resolve) => setTimeout(resolve, 20));
          inHand.delete(partition);
        },
      };
      const first = read(options);
      const readers2: Reader[] = [first];
      const total = (): number => readers2.reduce((sum, { records }) => sum + records.length, 0);
      for (let i = 0; i < 5; i += 1) await round(i);
      await seen(first, keys.length);
      const second = read(options);
      readers2.push(second);
      let published = 5;
      while (second.records.length === 0) await round(published++);
      expect(
        new Set([...(first.assigned.at(-1) ?? []), ...(second.assigned.at(-1) ?? [])].map(({ partition }) => partition)).size,
      ).to.equal(4);
      await first.stop();
      for (let i = 0; i < 5; i += 1) await round(published++);
      await second.changed.until(() => total() >= published * keys.length);
      for (const key of keys) {
        const values = [...first.records, ...second.records]
          .filter((record) => record.key === key)
          .map(({ value }) => Number(value?.toString()));
        expect(
          values.sort((a, b) => a - b),
          key,
        ).to.deep.equal(Array.from({ length: published }, (_, i) => i));
      }
      expect(second.revoked.length).to.be.greaterThan(0);
    });

    it('keeps its place in the group while a batch takes longer than the group waits for a silent member', async function () {
      this.timeout(60_000);
      const topic = await newTopic();
      await publish(numbered(topic, 0, 2));
      const reader = read({
        topics: [topic],
        sessionMs: 6_000,
        batch: ({ next }) => new Promise((resolve) => setTimeout(resolve, next < 4n ? 7_500 : 0)),
      });
      await seen(reader, 2);
      await publish(numbered(topic, 2, 3));
      await seen(reader, 3);
      expect(valuesOf(reader)).to.deep.equal(['0', '1', '2']);
      expect(reader.assigned).to.have.length(1);
    });

    it('tells a batch in hand that the consumer is to end, and ends when it is over', async () => {
      const topic = await newTopic();
      await publish(numbered(topic, 0, 2));
      let told = false;
      let over = false;
      let begun = (): void => undefined;
      const inHand = new Promise<void>((resolve) => (begun = resolve));
      const reader = read({
        topics: [topic],
        batch: (_, signal) =>
          new Promise((_resolve, reject) => {
            begun();
            signal.addEventListener('abort', () => {
              told = true;
              setTimeout(() => {
                over = true;
                reject(new Error('abandoned'));
              }, 50);
            });
          }),
      });
      await inHand;
      await reader.stop();
      expect({ told, over, records: reader.records.length }).to.deep.equal({ told: true, over: true, records: 0 });
    });
  });
}
