/** A file of sound: what is known of it. */
export interface SoundFile {
  readonly bytes: number;
  /** Its first bytes, as far as they are here. */
  readonly start: Uint8Array;
  readonly filename: string;
}

/** No codec that is in use for speech takes less (bytes a second): AMR's lowest rate is 594. */
const LEAST_RATE = 500;

/** What is usual for a kind of file, in bytes a second. */
const USUAL_RATES: Readonly<Record<string, number>> = {
  mp3: 16_000,
  mpga: 16_000,
  mpeg: 16_000,
  m4a: 12_000,
  mp4: 12_000,
  ogg: 4_000,
  oga: 4_000,
  opus: 4_000,
  webm: 4_000,
  flac: 60_000,
  wav: 32_000,
};
const USUAL_RATE = 8_000;

const reads = (start: Uint8Array, at: number, text: string): boolean =>
  start.length >= at + text.length && [...text].every((letter, index) => start[at + index] === letter.charCodeAt(0));

const uint = (start: Uint8Array, at: number, bytes: number): number => {
  let value = 0;
  for (let index = bytes - 1; index >= 0; index--) value = value * 256 + (start[at + index] ?? 0);
  return value;
};

/** Bytes a second of sound that is not compressed (WAV with PCM), from what a decoder goes by too; `null` where it is none. */
const rateOfPcm = (start: Uint8Array): number | null => {
  const FORMAT = 12;
  if (!reads(start, 0, 'RIFF') || !reads(start, 8, 'WAVE') || !reads(start, FORMAT, 'fmt ') || start.length < 36) return null;
  if (uint(start, 20, 2) !== 1) return null;
  const rate = (uint(start, 22, 2) * uint(start, 24, 4) * uint(start, 34, 2)) / 8;
  return rate > 0 ? rate : null;
};

/** The longest that a file of so many bytes can sound, in seconds, rounded up. */
export const mostSeconds = ({ bytes, start }: Pick<SoundFile, 'bytes' | 'start'>): number =>
  Math.ceil(bytes / Math.max(LEAST_RATE, rateOfPcm(start) ?? LEAST_RATE));

/** How long it is likely to sound. */
export const likelySeconds = ({ bytes, start, filename }: SoundFile): number => {
  const kind = /\.([a-z0-9]+)$/i.exec(filename)?.[1]?.toLowerCase() ?? '';
  return Math.max(1, Math.ceil(bytes / (rateOfPcm(start) ?? USUAL_RATES[kind] ?? USUAL_RATE)));
};

/** The last moment that subtitles (SRT or WebVTT) name, in seconds, rounded up; `null` where there is none. */
export const endOfSubtitles = (text: string): number | null => {
  const moments = [...text.matchAll(/-->\s*(?:(\d{1,3}):)?(\d{2}):(\d{2})[.,](\d{3})/g)];
  const last = moments.at(-1);
  if (last === undefined) return null;
  const [, hours = '0', minutes = '0', seconds = '0', thousandths = '0'] = last;
  return Math.ceil(Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds) + Number(thousandths) / 1_000);
};
