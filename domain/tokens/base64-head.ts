const VALUES = new Int8Array(128).fill(-1);
[...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'].forEach((letter, value) => (VALUES[letter.charCodeAt(0)] = value));
VALUES[0x2d] = 62;
VALUES[0x5f] = 63;

/** The bytes that base64 (of either alphabet) begins with, at most so many; what is no letter of it ends it, but for white space. */
export const base64Head = (text: string, most: number, from = 0): Uint8Array => {
  const bytes = new Uint8Array(Math.min(most, Math.ceil(((text.length - from) * 3) / 4)));
  let [length, bits, held] = [0, 0, 0];
  for (let at = from; at < text.length && length < bytes.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x0a || code === 0x0d || code === 0x20) continue;
    const value = code < 128 ? (VALUES[code] as number) : -1;
    if (value < 0) break;
    held = ((held << 6) | value) & 0xfff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes[length++] = (held >>> bits) & 0xff;
  }
  return bytes.subarray(0, length);
};

/** Bytes that so many letters of base64 stand for. */
export const bytesOfBase64 = (letters: number): number => Math.floor((letters * 3) / 4);
