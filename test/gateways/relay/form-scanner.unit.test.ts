import { expect } from 'chai';
import fc from 'fast-check';
import { boundaryOf, FormScanner, type FormPart } from '../../../gateways/relay/form-scanner.ts';
import { check } from '../../ledger/seed.ts';

const BOUNDARY = 'xYz--1';
const part = (head: string, value: string | Buffer): Buffer =>
  Buffer.concat([Buffer.from(`--${BOUNDARY}\r\n${head}\r\n\r\n`), Buffer.from(value), Buffer.from('\r\n')]);
const END = Buffer.from(`--${BOUNDARY}--\r\n`);
const named = (name: string): string => `Content-Disposition: form-data; name="${name}"`;

const scan = (...pieces: readonly Buffer[]): FormScanner => {
  const scanner = new FormScanner(BOUNDARY);
  for (const piece of pieces) scanner.push(piece);
  return scanner;
};
const valuesIn = (body: Buffer, parts: readonly FormPart[]): readonly (readonly [string, string])[] =>
  parts.map(({ name, start, end }) => [name, body.toString('latin1', start, end ?? undefined)]);

describe('the parts of a form', () => {
  const file = Buffer.from(`bytes\r\n--${BOUNDARY.slice(0, 3)}\r\n\r\n\0 more`, 'latin1');
  const body = Buffer.concat([
    part(named('model'), 'whisper-1'),
    part(named('empty'), ''),
    part(`content-type: audio/mpeg\r\ncontent-disposition: form-data; filename="a \\"b\\".mp3"; name=file`, file),
    END,
  ]);

  it('are where they are, byte for byte', () => {
    const { parts, complete, wrong } = scan(body);
    expect([complete, wrong]).to.deep.equal([true, false]);
    expect(valuesIn(body, parts)).to.deep.equal([
      ['model', 'whisper-1'],
      ['empty', ''],
      ['file', file.toString('latin1')],
    ]);
    expect(parts.map(({ filename, type }) => [filename, type])).to.deep.equal([
      [null, null],
      [null, null],
      ['a "b".mp3', 'audio/mpeg'],
    ]);
  });

  it('are the same wherever the bytes are cut', () => {
    const whole = scan(body).parts;
    for (let at = 0; at <= body.length; at++) expect(scan(body.subarray(0, at), body.subarray(at)).parts, String(at)).to.deep.equal(whole);
    check(
      fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 60 }), (sizes) => {
        const pieces: Buffer[] = [];
        let from = 0;
        for (const size of sizes) {
          pieces.push(body.subarray(from, from + size));
          from += size;
        }
        expect(scan(...pieces, body.subarray(from)).parts).to.deep.equal(whole);
      }),
    );
  });

  it('are not taken where two readers could see two forms', () => {
    for (const [why, bytes] of [
      ['something before the first part', Buffer.concat([Buffer.from('x\r\n'), body])],
      ['no disposition', Buffer.concat([part('content-type: text/plain', 'x'), END])],
      ['two names', Buffer.concat([part(`${named('model')}; name="other"`, 'x'), END])],
      ['two dispositions', Buffer.concat([part(`${named('a')}\r\n${named('b')}`, 'x'), END])],
      ['a folded line', Buffer.concat([part(`${named('a')};\r\n filename="x"`, 'x'), END])],
      ['no name', Buffer.concat([part('Content-Disposition: form-data', 'x'), END])],
    ] as const)
      expect(scan(bytes).wrong, why).to.equal(true);
    expect(scan(body.subarray(0, body.length - 6)).complete, 'cut short').to.equal(false);
  });

  it('are told apart by the boundary of the content type', () => {
    expect(boundaryOf('multipart/form-data; boundary=abc')).to.equal('abc');
    expect(boundaryOf('Multipart/Form-Data; charset=utf-8; boundary="a b:c"')).to.equal('a b:c');
    for (const none of [undefined, 'application/json', 'multipart/form-data', `multipart/form-data; boundary=${'x'.repeat(71)}`])
      expect(boundaryOf(none)).to.equal(null);
  });
});
