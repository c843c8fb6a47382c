import { expect } from 'chai';
import zlib from 'node:zlib';
import { acceptedEncoding, decodeBody, encodeBody } from '../../../gateways/relay/content-encoding.ts';
import { unzstd, ZSTD_TOO_LARGE } from '../../../gateways/relay/unzstd.ts';
import { isRefusal } from '../../../schemas/errors.ts';

const TEXT = '{"model":"m","messages":[{"role":"user","content":"hello hello hello hello hello hello"}]}';
/** {@link TEXT}, packed by the reference implementation of Zstandard with a checksum. */
const PACKED = Buffer.from('KLUv/QRo1QEA0kMMEbDrp10/Eca2NPakoIEmmHMCbzwDzTwymqkzpcXB69uMfuqyE+j9IbtPDk5G540muwEAmbtAAW+2lKU=', 'base64');
const MOST = 1024 * 1024;
const WINDOW_OF_128_KIB = 0x38;

/** A frame of so many blocks of 128 KiB of zeros, four bytes each. */
const zeros = (blocks: number, window = WINDOW_OF_128_KIB): Buffer => {
  const frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, window];
  for (let i = 1; i <= blocks; i++) {
    const header = (131_072 << 3) | (1 << 1) | (i === blocks ? 1 : 0);
    frame.push(header & 0xff, (header >> 8) & 0xff, (header >> 16) & 0xff, 0);
  }
  return Buffer.from(frame);
};

describe('a body behind a content-encoding', () => {
  const packed: Readonly<Record<string, Buffer>> = {
    gzip: zlib.gzipSync(TEXT),
    'X-GZIP': zlib.gzipSync(TEXT),
    deflate: zlib.deflateSync(TEXT),
    br: zlib.brotliCompressSync(TEXT),
    zstd: PACKED,
  };
  for (const [encoding, body] of Object.entries(packed)) {
    it(`is unpacked: ${encoding}`, async () => {
      expect(await decodeBody(body, encoding, MOST)).to.deep.equal(Buffer.from(TEXT));
    });

    it(`is refused when it is cut or is something else: ${encoding}`, async () => {
      for (const broken of [body.subarray(0, -6), Buffer.from(TEXT), Buffer.alloc(0)]) {
        const answer = await decodeBody(broken, encoding, MOST);
        expect(isRefusal(answer) && answer.refused).to.equal('invalid_request');
      }
    });
  }

  it('is refused as too large by what it unpacks to, before all of that is there', async () => {
    const bombs: Readonly<Record<string, Buffer>> = {
      gzip: zlib.gzipSync(Buffer.alloc(MOST + 1)),
      deflate: zlib.deflateSync(Buffer.alloc(MOST + 1)),
      br: zlib.brotliCompressSync(Buffer.alloc(MOST + 1)),
      zstd: zeros(1_000),
    };
    for (const [encoding, bomb] of Object.entries(bombs)) {
      const answer = await decodeBody(bomb, encoding, MOST);
      expect(isRefusal(answer) && answer.refused, encoding).to.equal('body_too_large');
    }
  });

  it('is refused in an encoding that is not known, or in several', async () => {
    for (const encoding of ['compress', 'gzip, br', '']) {
      const answer = await decodeBody(Buffer.from(TEXT), encoding, MOST);
      expect(isRefusal(answer) && answer.refused).to.equal('unsupported_media_type');
    }
  });
});

describe('a frame of Zstandard', () => {
  it('is one, and asks for no window that is larger than its body could need', () => {
    expect((unzstd(zeros(3), MOST) as Buffer).length).to.equal(3 * 131_072);
    expect(() => unzstd(Buffer.concat([PACKED, PACKED]), MOST)).to.throw('more than one frame');
    // 2 GiB, which would be set aside and gone through for each block.
    expect(() => unzstd(zeros(3, 0xa8), MOST)).to.throw('window');
    expect(unzstd(PACKED, 10)).to.equal(ZSTD_TOO_LARGE);
  });
});

describe('the encoding of an answer', () => {
  it('is the best that the client takes', () => {
    const newest = 'zstdCompress' in zlib ? 'zstd' : 'br';
    for (const [accept, best] of [
      [undefined, null],
      ['', null],
      ['identity', null],
      ['gzip, deflate', 'gzip'],
      ['gzip, deflate, br', 'br'],
      ['gzip;q=1.0, br;q=0.5', 'gzip'],
      ['br;q=0, gzip', 'gzip'],
      ['br;q=x', null],
      ['*', newest],
      ['gzip, deflate, br, zstd', newest],
    ] as const)
      expect(acceptedEncoding(accept), accept).to.equal(best);
  });

  it('can be undone', async () => {
    const body = Buffer.from(TEXT.repeat(100));
    for (const encoding of ['gzip', 'br'] as const) {
      const sent = await encodeBody(body, encoding);
      expect(sent.length).to.be.below(body.length / 4);
      expect(await decodeBody(sent, encoding, MOST)).to.deep.equal(body);
    }
  });
});
