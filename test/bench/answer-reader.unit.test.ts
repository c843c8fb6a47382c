import { expect } from 'chai';
import fc from 'fast-check';
import { AnswerReader } from './answer-reader.ts';

const PLAIN = 'HTTP/1.1 200 OK\r\nContent-Length: 7\r\nX-Other: a\r\n\r\n{"a":1}';
const EMPTY = 'HTTP/1.1 429 Too Many Requests\r\ncontent-length: 0\r\n\r\n';
const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\ndata: \r\nb;x=y\r\n1\n\ndata: 2\n\r\n1\r\n\n\r\n0\r\n\r\n';
const TRAILED = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nConnection: close\r\n\r\n2\r\nok\r\n0\r\nx-trailer: 1\r\n\r\n';

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly reusable: boolean;
}

const EXPECTED: readonly Answer[] = [
  { status: 200, body: '{"a":1}', reusable: true },
  { status: 429, body: '', reusable: true },
  { status: 200, body: 'data: 1\n\ndata: 2\n\n', reusable: true },
  { status: 200, body: 'ok', reusable: false },
];

const readAll = (pieces: readonly Buffer[]): Answer[] => {
  const answers: Answer[] = [];
  let text = '';
  const reader = new AnswerReader(
    {
      body: (part) => (text += part),
      end: (status, reusable) => {
        answers.push({ status, body: text, reusable });
        text = '';
      },
    },
    true,
  );
  for (const piece of pieces) reader.read(piece);
  return answers;
};

describe('the answer reader of the load generator', () => {
  const bytes = Buffer.from(PLAIN + EMPTY + CHUNKED + TRAILED);

  it('reads counted, empty and chunked answers, however the bytes are cut', () => {
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: bytes.length - 1 }), { maxLength: 40 });
    fc.assert(
      fc.property(cuts, (places) => {
        const ends = [...places.sort((a, b) => a - b), bytes.length];
        expect(readAll(ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end)))).to.deep.equal(EXPECTED);
      }),
    );
  });

  it('refuses an answer whose end it could not tell', () => {
    expect(() => readAll([Buffer.from('HTTP/1.1 200 OK\r\n\r\nhello')])).to.throw('without a length');
  });
});
