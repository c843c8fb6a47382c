import { expect } from 'chai';
import fc from 'fast-check';
import { base64Head } from '../../../domain/tokens/base64-head.ts';
import { documentIn, mediaIn, pictureIn, soundIn, toolPrompt, TYPICAL_DOCUMENT } from '../../../domain/tokens/media-tokens.ts';
import { pictureSize, pictureType } from '../../../domain/tokens/picture-size.ts';
import { pictureTokens } from '../../../domain/tokens/picture-tokens.ts';
import { LARGEST_IMAGE, LARGEST_IMAGE_TILED } from '../../../domain/tokens/prompt-bound.ts';
import { functionsText } from '../../../domain/tokens/tools-text.ts';
import { check } from '../../ledger/seed.ts';

const png = (width: number, height: number): Buffer => {
  const bytes = Buffer.alloc(33);
  Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex').copy(bytes);
  bytes.writeUInt32BE(width, 16);
  bytes.writeUInt32BE(height, 20);
  return bytes;
};
const gif = (width: number, height: number): Buffer => {
  const bytes = Buffer.from('GIF89a0000000');
  bytes.writeUInt16LE(width, 6);
  bytes.writeUInt16LE(height, 8);
  return bytes;
};
const webp = (kind: 'VP8 ' | 'VP8L' | 'VP8X', width: number, height: number): Buffer => {
  const bytes = Buffer.alloc(40);
  bytes.write('RIFF', 0).toString();
  bytes.write('WEBP', 8).toString();
  bytes.write(kind, 12).toString();
  if (kind === 'VP8X') {
    bytes.writeUIntLE(width - 1, 24, 3);
    bytes.writeUIntLE(height - 1, 27, 3);
  } else if (kind === 'VP8 ') {
    bytes.writeUInt16LE(width, 26);
    bytes.writeUInt16LE(height, 28);
  } else bytes.writeUInt32LE(width - 1 + (height - 1) * 2 ** 14, 21);
  return bytes;
};
/** With a smaller picture of itself in front, as cameras put it. */
const jpeg = (width: number, height: number, before = 0): Buffer => {
  const parts = [Buffer.from('ffd8', 'hex')];
  for (let left = before; left > 0; left -= 60_000) {
    const segment = Buffer.alloc(Math.min(left, 60_000) + 4, 0xff);
    segment.writeUInt16BE(0xffe1, 0);
    segment.writeUInt16BE(segment.length - 2, 2);
    parts.push(segment);
  }
  const frame = Buffer.from('ffc40004000affc2001108000000000301', 'hex');
  frame.writeUInt16BE(height, 11);
  frame.writeUInt16BE(width, 13);
  return Buffer.concat([...parts, frame, Buffer.alloc(10)]);
};

const inline = (type: string, bytes: Buffer) => ({ type, text: bytes.toString('base64'), from: 0, elided: 0 });

describe('the size of a picture', () => {
  it('is what its head says, in each format that models take', () => {
    check(
      fc.property(fc.integer({ min: 1, max: 16_000 }), fc.integer({ min: 1, max: 16_000 }), (width, height) => {
        const size = { width, height };
        for (const bytes of [
          png(width, height),
          gif(width, height),
          jpeg(width, height),
          webp('VP8 ', width, height),
          webp('VP8L', width, height),
          webp('VP8X', width, height),
        ])
          expect(pictureSize(bytes)).to.deep.equal(size);
      }),
    );
    expect([png(1, 1), jpeg(1, 1), gif(1, 1), webp('VP8L', 1, 1)].map(pictureType)).to.deep.equal([
      'image/png',
      'image/jpeg',
      'image/gif',
      'image/webp',
    ]);
  });

  it('is found behind what a camera puts in front of it', () => {
    const data = inline('image/jpeg', jpeg(4_032, 3_024, 130_000));
    expect(pictureIn('claude-sonnet-4-5', data, null)).to.equal(pictureTokens('claude-sonnet-4-5', { width: 4_032, height: 3_024 }, null));
  });

  it('is not made up for what is no picture, or for one that is cut off', () => {
    check(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const size = pictureSize(bytes);
        if (size !== null) expect(pictureType(bytes)).to.not.equal(null);
      }),
    );
    for (const whole of [png(5, 5), gif(5, 5), jpeg(5, 5), webp('VP8 ', 5, 5)])
      for (let length = 0; length < 10; length++) expect(pictureSize(whole.subarray(0, length))).to.equal(null);
    expect(pictureSize(png(0, 5))).to.equal(null);
    expect(pictureType(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'))).to.equal(null);
  });

  it('is read from base64 of either alphabet, with breaks or without', () => {
    check(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(220), (bytes, most) => {
        const whole = Buffer.from(bytes);
        const head = [...whole.subarray(0, most)];
        expect([...base64Head(whole.toString('base64'), most)]).to.deep.equal(head);
        expect([...base64Head(whole.toString('base64url'), most)]).to.deep.equal(head);
        expect([...base64Head(`data:,${whole.toString('base64').replace(/(.{7})/g, '$1\r\n')}`, most, 6)]).to.deep.equal(head);
      }),
    );
  });
});

describe('tokens of a picture', () => {
  const square = { width: 1_024, height: 1_024 };

  it('follow OpenAI’s tiles', () => {
    expect(pictureTokens('gpt-4o', square, 'high')).to.equal(765);
    expect(pictureTokens('gpt-4o', null, null)).to.equal(765);
    expect(pictureTokens('gpt-4o', square, 'low')).to.equal(85);
    expect(pictureTokens('gpt-4o', { width: 2_048, height: 4_096 }, 'high')).to.equal(1_105);
    expect(pictureTokens('gpt-4o', { width: 100, height: 100 }, 'high')).to.equal(255);
    expect(pictureTokens('gpt-4o-mini', square, 'auto')).to.equal(25_501);
    expect(pictureTokens('gpt-5', square, 'high')).to.equal(630);
    expect(pictureTokens('o3', square, 'high')).to.equal(675);
  });

  it('follow OpenAI’s patches', () => {
    expect(pictureTokens('gpt-4.1-mini', square, 'high')).to.equal(Math.ceil(1_024 * 1.62));
    expect(pictureTokens('gpt-4.1-mini', { width: 1_800, height: 2_400 }, 'high')).to.equal(Math.ceil(1_452 * 1.62));
    expect(pictureTokens('o4-mini', { width: 32, height: 33 }, 'low')).to.equal(Math.ceil(2 * 1.72));
    expect(pictureTokens('gpt-5.6', square, 'auto')).to.equal(1_229);
    expect(pictureTokens('gpt-5.6', { width: 512, height: 512 }, null)).to.equal(308);
    expect(pictureTokens('gpt-5.6', square, 'low')).to.equal(308);
  });

  it('follow Anthropic’s rule for each generation', () => {
    expect(pictureTokens('claude-sonnet-4-5', square, null)).to.equal(1_369);
    expect(pictureTokens('claude-sonnet-4-5', { width: 8_000, height: 8_000 }, null)).to.equal(1_568);
    expect(pictureTokens('claude-opus-4-7', { width: 8_000, height: 8_000 }, null)).to.equal(4_784);
    expect(pictureTokens('claude-3-haiku-20240307', { width: 1_000, height: 750 }, null)).to.equal(1_000);
  });

  it('follow Google’s', () => {
    expect(pictureTokens('gemini-2.5-flash', { width: 384, height: 384 }, null)).to.equal(258);
    expect(pictureTokens('gemini-2.5-flash', { width: 960, height: 540 }, null)).to.equal(258 * 6);
    expect(pictureTokens('gemini-3-pro', square, null)).to.equal(1_120);
    expect(pictureTokens('gemini-3-pro', square, 'low')).to.equal(280);
  });

  it('are never more than what is set aside for a picture', () => {
    const edge = fc.integer({ min: 1, max: 100_000 });
    const model = fc.constantFrom(
      'gpt-4o',
      'gpt-4.1-nano',
      'gpt-5-nano',
      'gpt-5.6',
      'gpt-6',
      'o1',
      'claude-opus-5',
      'claude-3-opus',
      'gemini-2.5-pro',
      'gemini-3-pro',
      'qwen-vl-max',
    );
    check(
      fc.property(model, edge, edge, fc.constantFrom(null, 'low', 'high', 'auto'), (name, width, height, detail) => {
        expect(pictureTokens(name, { width, height }, detail)).to.be.within(1, LARGEST_IMAGE);
        expect(pictureTokens('gpt-4o-mini', { width, height }, detail)).to.be.at.most(LARGEST_IMAGE_TILED);
      }),
    );
  });
});

describe('tokens of other media', () => {
  it('are ten a second of sound, or Google’s thirty-two', () => {
    const wav = Buffer.alloc(44 + 48_000 * 3);
    wav.write('RIFF', 0).toString();
    wav.write('WAVEfmt ', 8).toString();
    wav.writeUInt32LE(16, 16);
    wav.writeUInt16LE(1, 20);
    wav.writeUInt16LE(1, 22);
    wav.writeUInt32LE(24_000, 24);
    wav.writeUInt16LE(16, 34);
    expect(soundIn('gpt-audio', inline('wav', wav))).to.be.within(30, 40);
    expect(soundIn('gemini-2.5-flash', inline('audio/wav', wav))).to.be.within(96, 128);
    // A head that claims next to nothing a second makes it no longer than it can be.
    wav.writeUInt32LE(1, 24);
    expect(soundIn('gpt-audio', inline('wav', wav))).to.be.at.most(1_460);
  });

  it('of a document go by its pages where they can be seen', () => {
    const pdf = Buffer.from('%PDF-1.4\n1 0 obj<</Type /Pages /Count 2>>\n2 0 obj<</Type /Page>>\n3 0 obj<</Type/Page/Parent 1 0 R>>\n');
    expect(documentIn('gemini-2.5-flash', inline('application/pdf', pdf))).to.equal(2 * 258);
    expect(documentIn('gemini-3-pro', inline('application/pdf', pdf))).to.equal(2 * 560);
    expect(documentIn('claude-sonnet-4-5', inline('application/pdf', pdf))).to.be.within(2 * 1_500, 2 * 4_600);
    expect(documentIn('claude-sonnet-4-5', inline('application/pdf', Buffer.from('%PDF-1.7 packed')))).to.equal(TYPICAL_DOCUMENT);
    expect(mediaIn('m', inline('text/plain', Buffer.alloc(400, 'x')))).to.be.within(100, 101);
  });

  it('of tools are what is put in front of them', () => {
    expect(toolPrompt('claude-sonnet-4-5', false)).to.equal(346);
    expect(toolPrompt('claude-sonnet-4-5', true)).to.equal(313);
    expect(toolPrompt('claude-opus-4-7', true)).to.equal(804);
    expect(toolPrompt('gpt-4o', true)).to.equal(0);
  });
});

describe('functions as OpenAI’s models read them', () => {
  it('are types in a namespace', () => {
    const parameters = {
      type: 'object',
      properties: {
        city: { type: 'string', description: 'Where' },
        unit: { type: 'string', enum: ['c', 'f'] },
        days: { type: 'array', items: { type: 'integer' } },
      },
      required: ['city'],
    };
    expect(functionsText([{ name: 'weather', description: 'Tells it.', parameters }, { name: 'now' }])).to.equal(
      [
        'namespace functions {',
        '',
        '// Tells it.',
        'type weather = (_: {',
        '// Where',
        'city: string,',
        'unit?: "c" | "f",',
        'days?: number[],',
        '}) => any;',
        '',
        'type now = () => any;',
        '',
        '} // namespace functions',
      ].join('\n'),
    );
    expect(functionsText([{ type: 'web_search' }])).to.equal(null);
  });
});
