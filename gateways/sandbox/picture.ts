import { crc32, deflateSync } from 'node:zlib';
import { hashOf } from './text.ts';

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');
const SIDE = 8;
const COLOURS = 4;

const chunk = (type: string, data: Buffer): Buffer => {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
};

/** A pattern of squares, the same on the left as on the right and the same for the same words, as a PNG. */
export const paint = (words: string, width: number, height: number): Buffer => {
  const palette = Buffer.alloc(COLOURS * 3);
  for (let at = 0; at < palette.length; at++) palette[at] = hashOf(`colour ${at} ${words}`) & 0xff;
  const cells = Array.from({ length: SIDE * SIDE }, (_each, at) => {
    const column = at % SIDE;
    const mirrored = column < SIDE / 2 ? column : SIDE - 1 - column;
    return hashOf(`${mirrored} ${Math.floor(at / SIDE)} ${words}`) % COLOURS;
  });
  // A byte in front of each line says how it is packed: not at all.
  const pixels = Buffer.alloc((width + 1) * height);
  for (let y = 0; y < height; y++) {
    const row = Math.floor((y * SIDE) / height) * SIDE;
    const line = (width + 1) * y + 1;
    for (let x = 0; x < width; x++) pixels[line + x] = cells[row + Math.floor((x * SIDE) / width)] as number;
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  // Eight bits a pixel, which name a colour of the palette.
  head[8] = 8;
  head[9] = 3;
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', head),
    chunk('PLTE', palette),
    chunk('IDAT', deflateSync(pixels, { level: 1 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
};
