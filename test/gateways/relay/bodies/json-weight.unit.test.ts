import { expect } from 'chai';
import { weighJson } from '../../../../gateways/relay/bodies/json-weight.ts';
import { isRefusal } from '../../../../schemas/errors.ts';

const listOf = (value: string, count: number): Buffer => Buffer.from(`{"input":[${Array.from({ length: count }, () => value).join(',')}]}`);
const isTaken = (body: Buffer): boolean => !isRefusal(weighJson(body));

describe('what a body weighs once it is parsed', () => {
  it('is too much where it is nothing but objects, lists or members', () => {
    for (const value of ['{}', '[]', '{"a":1}', '[[]]']) {
      expect(isTaken(listOf(value, 40_000)), value).to.equal(true);
      expect(isTaken(listOf(value, 130_000)), value).to.equal(false);
    }
    expect(isTaken(Buffer.from(`{${Array.from({ length: 130_000 }, (_, at) => `"k${at}":1`).join(',')}}`))).to.equal(false);
  });

  it('may be more where there is much else in it', () => {
    const request = `{"custom_id":"r","params":{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"${'a'.repeat(1_500)}"}]}}`;
    expect(isTaken(listOf(request, 15_000))).to.equal(true);
  });

  it('lets lists of tokens be as long as a request has them', () => {
    expect(isTaken(listOf(`[${Array.from({ length: 2_000 }, () => '1234').join(',')}]`, 900))).to.equal(true);
    expect(isTaken(listOf('1', 2_100_000))).to.equal(false);
  });

  it('counts nothing within texts', () => {
    const text = '{[:,'.repeat(600_000);
    expect(weighJson(listOf(JSON.stringify(text), 1))).to.equal(weighJson(listOf(JSON.stringify('a'.repeat(text.length)), 1)));
    expect(weighJson(listOf(JSON.stringify('{"a":1}'.repeat(100_000)), 1))).to.be.below(1_000);
  });

  it('grows with what there is to hold', () => {
    expect(weighJson(listOf('{}', 40_000))).to.be.at.least(40_000 * 64);
    expect(weighJson(Buffer.from('{"a":{}}'))).to.equal(0);
  });
});
