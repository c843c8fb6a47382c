import { expect } from 'chai';
import { FrameSplitter } from '../../../../gateways/relay/upstreams/event-frames.ts';
import { eventFrame } from '../../../support/fake-upstream/bedrock-mock.ts';

const LARGEST = 10_000;

/** From the description of the format: no headers, and a payload. */
const FROM_THE_BOOK = Buffer.from('0000001d00000000fd528c5a7b27666f6f273a27626172277dc3653936', 'hex');

describe('frames of AWS’s event streams', () => {
  it('are read as the format describes them', () => {
    const frames = new FrameSplitter(LARGEST).push(FROM_THE_BOOK);
    expect(frames?.map(({ headers, payload }) => [headers.size, payload.toString()])).to.deep.equal([[0, "{'foo':'bar'}"]]);
  });

  it('come out whole, wherever the network cuts', () => {
    const bytes = Buffer.concat([eventFrame('a', { text: 'Grüße ☀' }), FROM_THE_BOOK, eventFrame('b', {})]);
    for (let at = 1; at < bytes.length; at++) {
      const splitter = new FrameSplitter(LARGEST);
      const frames = [bytes.subarray(0, at), bytes.subarray(at)].flatMap((piece) => splitter.push(piece) ?? expect.fail('garbled'));
      expect(frames.map(({ headers }) => headers.get(':event-type'))).to.deep.equal(['a', undefined, 'b']);
      expect(frames[0]?.payload.toString()).to.equal('{"text":"Grüße ☀"}');
    }
    const splitter = new FrameSplitter(LARGEST);
    expect([...bytes].flatMap((byte) => splitter.push(Buffer.from([byte])) ?? expect.fail('garbled'))).to.have.length(3);
  });

  it('are not believed with a wrong byte anywhere', () => {
    const bytes = eventFrame('a', { text: 'x' });
    for (let at = 0; at < bytes.length; at++) {
      const wrong = Buffer.from(bytes);
      wrong[at] = (wrong[at] as number) ^ 0x01;
      const frames = new FrameSplitter(LARGEST).push(wrong);
      expect(frames === null || frames.length === 0, `byte ${at}`).to.equal(true);
    }
  });

  it('are no larger than any that makes sense', () => {
    expect(new FrameSplitter(40).push(eventFrame('a', { text: 'x'.repeat(100) }))).to.equal(null);
  });
});
