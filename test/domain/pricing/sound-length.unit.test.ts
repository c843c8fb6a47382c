import { expect } from 'chai';
import { endOfSubtitles, likelySeconds, mostSeconds } from '../../../domain/pricing/sound-length.ts';

const NOTHING = new Uint8Array(0);

describe('how long a sound is', () => {
  it('is never more than the slowest codec could make of its bytes', () => {
    expect(mostSeconds({ bytes: 50_001, start: NOTHING })).to.equal(101);
  });

  it('is likely what is usual for its kind of file', () => {
    expect(likelySeconds({ bytes: 32_000, start: NOTHING, filename: 'a.MP3' })).to.equal(2);
    expect(likelySeconds({ bytes: 32_000, start: NOTHING, filename: 'a.webm' })).to.equal(8);
    expect(likelySeconds({ bytes: 1, start: NOTHING, filename: '' })).to.equal(1);
  });

  it('is what an uncompressed file says of itself, if it says anything', () => {
    const start = Buffer.alloc(44);
    start.write('RIFF', 0);
    start.write('WAVEfmt ', 8);
    expect(likelySeconds({ bytes: 32_000, start, filename: 'a.wav' })).to.equal(1);
    start.writeUInt16LE(1, 20);
    start.writeUInt16LE(2, 22);
    start.writeUInt32LE(8_000, 24);
    start.writeUInt16LE(8, 34);
    expect([likelySeconds({ bytes: 160_000, start, filename: 'a.wav' }), mostSeconds({ bytes: 160_000, start })]).to.deep.equal([10, 10]);
  });

  it('is as long as its subtitles', () => {
    expect(endOfSubtitles('WEBVTT\n\n00:00.000 --> 00:07.001\nhello')).to.equal(8);
    expect(endOfSubtitles('1\n01:00:00,000 --> 01:00:01,000\nhello')).to.equal(3_601);
    expect(endOfSubtitles('hello --> world')).to.equal(null);
  });
});
