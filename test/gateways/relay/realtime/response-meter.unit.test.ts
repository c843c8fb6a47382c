import { expect } from 'chai';
import { readUpstreamEvent } from '../../../../gateways/relay/realtime/frames.ts';
import { ResponseMeter } from '../../../../gateways/relay/realtime/response-meter.ts';

describe('the meter of a response', () => {
  const note = (meter: ResponseMeter, event: object): boolean => {
    const frame = { data: Buffer.from(JSON.stringify(event)), isBinary: false };
    const read = readUpstreamEvent(frame);
    if (read === null) throw new Error('no event');
    return meter.note(frame, read);
  };

  it('takes the text of whatever is written or spoken', () => {
    const meter = new ResponseMeter(1_000);
    expect(meter.isSilent).to.equal(true);
    expect(meter.text).to.deep.equal({ texts: [], tokens: 0 });
    const types = ['output_text', 'text', 'output_audio_transcript', 'audio_transcript', 'function_call_arguments'];
    for (const [place, type] of types.entries())
      expect(note(meter, { type: `response.${type}.delta`, delta: `${place} "é" ` }), type).to.equal(true);
    expect(meter.text).to.deep.equal({ texts: ['0 "é" 1 "é" 2 "é" 3 "é" 4 "é" '], tokens: 0 });
    expect(meter.isSilent).to.equal(false);
  });

  it('takes the length of sound by its base64', () => {
    const meter = new ResponseMeter(1_000);
    const sound = { delta: Buffer.alloc(24_000).toString('base64') };
    expect(note(meter, { type: 'response.output_audio.delta', ...sound })).to.equal(true);
    expect(note(meter, { type: 'response.audio.delta', ...sound })).to.equal(true);
    expect(meter.isSilent).to.equal(false);
    expect(meter.audioTokens(48_000), 'one second').to.equal(20);
    expect(meter.audioTokens(16_000), 'three seconds').to.equal(60);
  });

  it('is not moved by anything else', () => {
    const meter = new ResponseMeter(1_000);
    for (const type of ['response.created', 'response.output_item.added', 'response.output_text.done', 'rate_limits.updated'])
      expect(note(meter, { type, delta: 'words' }), type).to.equal(false);
    expect(note(meter, { type: 'response.output_audio.delta' }), 'a delta without one').to.equal(true);
    expect(meter.isSilent).to.equal(true);
  });

  it('keeps no more text than it may, and reckons the rest', () => {
    const meter = new ResponseMeter(10);
    const say = (delta: string) => note(meter, { type: 'response.text.delta', delta });
    say('12345678');
    say('a piece that is too long by far');
    say('90');
    expect(meter.text.texts).to.deep.equal(['1234567890']);
    expect(meter.text.tokens).to.be.within(5, 31);
    const whole = new ResponseMeter(10);
    whole.keep('a text that is counted whatever its length');
    expect(whole.text).to.deep.equal({ texts: ['a text that is counted whatever its length'], tokens: 0 });
  });
});
