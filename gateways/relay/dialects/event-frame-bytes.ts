import { crc32 } from 'node:zlib';

const STRING = 7;
const PRELUDE = 12;
const CHECKSUM = 4;

const headerBytes = (name: string, value: string): Buffer => {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(Buffer.byteLength(value));
  return Buffer.concat([Buffer.from([Buffer.byteLength(name)]), Buffer.from(name), Buffer.from([STRING]), length, Buffer.from(value)]);
};

/** A message of AWS’s `application/vnd.amazon.eventstream`, with its checksums. */
export const eventFrameBytes = (headers: Readonly<Record<string, string>>, payload: object): Buffer => {
  const heads = Buffer.concat(Object.entries(headers).map(([name, value]) => headerBytes(name, value)));
  const body = Buffer.from(JSON.stringify(payload));
  const frame = Buffer.alloc(PRELUDE + heads.length + body.length + CHECKSUM);
  frame.writeUInt32BE(frame.length, 0);
  frame.writeUInt32BE(heads.length, 4);
  frame.writeUInt32BE(crc32(frame.subarray(0, 8)), 8);
  heads.copy(frame, PRELUDE);
  body.copy(frame, PRELUDE + heads.length);
  frame.writeUInt32BE(crc32(frame.subarray(0, -CHECKSUM)), frame.length - CHECKSUM);
  return frame;
};
