import { expect } from 'chai';
import fc from 'fast-check';
import { dataOf, dataSpan, EventSplitter, forEachData, forEachEvent } from '../../../gateways/relay/sse.ts';
import { check } from '../../ledger/seed.ts';

const split = (chunks: readonly Buffer[]): { events: string[]; rest: string } => {
  const splitter = new EventSplitter(1_000_000);
  const events: string[] = [];
  for (const chunk of chunks) {
    const whole = splitter.push(chunk);
    if (whole === 'overflow') return expect.fail('overflow');
    if (whole !== null) forEachEvent(whole, (event) => events.push(event.toString()));
  }
  return { events, rest: splitter.rest().toString() };
};

const line = fc.oneof(
  fc.string({ maxLength: 20 }).map((text) => text.replace(/[\r\n]/g, '')),
  fc.constantFrom('data: {"a":1}', 'data: ключ 🪙', ': comment', 'event: error', 'data:', 'data: [DONE]'),
);
/** Events with at least one line that is not empty, all with the same line end. */
const anyStream = fc
  .tuple(
    fc.constantFrom('\n', '\r\n', '\r'),
    fc.array(
      fc.array(
        line.filter((text) => text !== ''),
        { minLength: 1, maxLength: 3 },
      ),
      { maxLength: 6 },
    ),
    fc.string({ maxLength: 8 }).map((text) => text.replace(/[\r\n]/g, '')),
  )
  .map(([end, events, rest]) => ({ events: events.map((lines) => lines.map((text) => text + end).join('') + end), rest }));

const cut = (bytes: Buffer, cuts: readonly number[]): Buffer[] => {
  const places = [...new Set(cuts.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  const chunks: Buffer[] = [];
  let at = 0;
  for (const place of [...places, bytes.length]) {
    if (place > at) chunks.push(bytes.subarray(at, place));
    at = Math.max(at, place);
  }
  return chunks;
};

describe('cutting a stream into events', () => {
  it('gives the same events however the network cuts it, and loses no byte', () => {
    check(
      fc.property(anyStream, fc.array(fc.nat(2_000), { maxLength: 30 }), ({ events, rest }, cuts) => {
        const bytes = Buffer.from(events.join('') + rest);
        expect(split(cut(bytes, cuts))).to.deep.equal({ events, rest });
        expect(split([...bytes].map((byte) => Buffer.from([byte])))).to.deep.equal({ events, rest });
      }),
      300,
    );
  });

  it('passes whole events on without copying them', () => {
    const chunk = Buffer.from('data: 1\n\ndata: 2\n\n');
    expect(new EventSplitter(100).push(chunk)).to.equal(chunk);
  });

  it('keeps bytes of any kind', () => {
    check(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.array(fc.nat(300), { maxLength: 10 }), (raw, cuts) => {
        const bytes = Buffer.from(raw);
        const splitter = new EventSplitter(1_000);
        const out = cut(bytes, cuts)
          .map((chunk) => splitter.push(chunk))
          .filter((whole) => whole !== null);
        expect(Buffer.concat([...(out as Buffer[]), splitter.rest()]).equals(bytes)).to.equal(true);
      }),
    );
  });

  it('gives up on an event that does not end', () => {
    const splitter = new EventSplitter(10);
    expect(splitter.push(Buffer.from('data: 123'))).to.equal(null);
    expect(splitter.push(Buffer.from('456'))).to.equal('overflow');
  });
});

describe('an event’s data', () => {
  it('are found with and without a space, behind other lines, in every line ending', () => {
    for (const [event, data] of [
      ['data: x\n\n', 'x'],
      ['data:x\r\n\r\n', 'x'],
      ['event: y\rdata: x\r\r', 'x'],
      [': note\nid: 1\ndata:  x\n\n', ' x'],
      ['data: a\ndata: b\n\n', 'a\nb'],
      ['data:\n\n', ''],
      [': note\n\n', null],
      ['dataset: x\n\n', null],
      ['', null],
    ] as const) {
      expect(dataOf(Buffer.from(event)), JSON.stringify(event)).to.equal(data);
    }
  });

  it('have a place only when they are on one line', () => {
    const event = Buffer.from('event: e\ndata: {"a":1}\n\n');
    const span = dataSpan(event);
    expect(event.toString('utf8', span?.start, span?.end)).to.equal('{"a":1}');
    expect(dataSpan(Buffer.from('data: a\ndata: b\n\n'))).to.equal(null);
  });
});

describe('data of many events', () => {
  it('is that of each event, whatever its lines are and end in', () => {
    const line = fc.constantFrom(
      '',
      'data: {"a":1}',
      'data:b',
      'data: ',
      'data:',
      'data:  c',
      'data',
      'event: x',
      ': alive',
      'data: é€😀',
      'id: 1',
    );
    const end = fc.constantFrom('\n', '\n', '\n', '\r\n', '\r\n', '\r');
    check(
      fc.property(fc.array(fc.tuple(line, end), { maxLength: 30 }), (lines) => {
        const events = Buffer.from(lines.map(([text, ending]) => text + ending).join(''));
        const one: (string | null)[] = [];
        forEachEvent(events, (event) => one.push(dataOf(event)));
        const all: string[] = [];
        forEachData(events, (data) => all.push(data));
        expect(all).to.deep.equal(one.filter((data) => data !== null));
      }),
      3_000,
    );
  });
});
