/** In pixels. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

export type PictureType = 'image/png' | 'image/jpeg' | 'image/gif' | 'image/webp';

const be16 = (bytes: Uint8Array, at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
const le16 = (bytes: Uint8Array, at: number): number => ((bytes[at + 1] ?? 0) << 8) | (bytes[at] ?? 0);
const be32 = (bytes: Uint8Array, at: number): number => be16(bytes, at) * 0x10000 + be16(bytes, at + 2);
const le24 = (bytes: Uint8Array, at: number): number => le16(bytes, at) | ((bytes[at + 2] ?? 0) << 16);

const reads = (bytes: Uint8Array, at: number, text: string): boolean => {
  for (let index = 0; index < text.length; index++) if (bytes[at + index] !== text.charCodeAt(index)) return false;
  return true;
};

/** What a file is by its first bytes, whatever else it is called; `null` for what models do not take as a picture. */
export const pictureType = (bytes: Uint8Array): PictureType | null => {
  if (bytes[0] === 0x89 && reads(bytes, 1, 'PNG\r\n\x1a\n')) return 'image/png';
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return 'image/jpeg';
  if (reads(bytes, 0, 'GIF87a') || reads(bytes, 0, 'GIF89a')) return 'image/gif';
  return reads(bytes, 0, 'RIFF') && reads(bytes, 8, 'WEBP') ? 'image/webp' : null;
};

/** A frame's header is one of these markers; the three left out among them are tables. */
const isFrame = (marker: number): boolean => marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
/** Markers that have no length behind them. */
const isBare = (marker: number): boolean => marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8);

const sizeOfJpeg = (bytes: Uint8Array): PictureSize | null => {
  let at = 2;
  while (at + 9 <= bytes.length) {
    if (bytes[at] !== 0xff) return null;
    const marker = bytes[at + 1] as number;
    if (marker === 0xff) at++;
    else if (isBare(marker)) at += 2;
    else if (isFrame(marker)) return { height: be16(bytes, at + 5), width: be16(bytes, at + 7) };
    else at += 2 + Math.max(2, be16(bytes, at + 2));
  }
  return null;
};

const sizeOfWebp = (bytes: Uint8Array): PictureSize | null => {
  if (bytes.length < 30) return null;
  if (reads(bytes, 12, 'VP8X')) return { width: le24(bytes, 24) + 1, height: le24(bytes, 27) + 1 };
  if (reads(bytes, 12, 'VP8 ')) return { width: le16(bytes, 26) & 0x3fff, height: le16(bytes, 28) & 0x3fff };
  if (!reads(bytes, 12, 'VP8L')) return null;
  // Fourteen bits each, the least significant first.
  const [low, high] = [le16(bytes, 21), le16(bytes, 23)];
  return { width: (low & 0x3fff) + 1, height: ((low >>> 14) | ((high & 0x0fff) << 2)) + 1 };
};

const sizeOf = (bytes: Uint8Array): PictureSize | null => {
  switch (pictureType(bytes)) {
    case 'image/png':
      return bytes.length < 24 ? null : { width: be32(bytes, 16), height: be32(bytes, 20) };
    case 'image/gif':
      return bytes.length < 10 ? null : { width: le16(bytes, 6), height: le16(bytes, 8) };
    case 'image/jpeg':
      return sizeOfJpeg(bytes);
    case 'image/webp':
      return sizeOfWebp(bytes);
    case null:
      return null;
  }
};

/** The size that a PNG, JPEG, GIF or WebP says of itself in its first bytes; `null` where it says none. */
export const pictureSize = (bytes: Uint8Array): PictureSize | null => {
  const size = sizeOf(bytes);
  return size === null || size.width === 0 || size.height === 0 ? null : size;
};
