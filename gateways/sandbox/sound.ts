const RATE = 8_000;
const BYTES_PER_SECOND = RATE * 2;
/** Of a character. */
const SECONDS = 0.04;
const LOUDNESS = 6_000;
const HEAD = 44;

const chunk = (type: string, data: Buffer): Buffer => {
  const head = Buffer.alloc(8);
  head.write(type, 'latin1');
  head.writeUInt32LE(data.length, 4);
  return Buffer.concat(data.length % 2 === 0 ? [head, data] : [head, data, Buffer.alloc(1)]);
};

const tone = (code: number, samples: number): Buffer => {
  const sound = Buffer.alloc(samples * 2);
  const frequency = 220 + (code % 64) * 12;
  for (let at = 0; at < samples; at++)
    sound.writeInt16LE(Math.round(Math.sin((2 * Math.PI * frequency * at) / RATE) * LOUDNESS * (1 - at / samples)), at * 2);
  return sound;
};

/** A tone for each character, a pause for white space, as a WAV that keeps the words in a comment: the sandbox can hear them there. */
export const speak = (words: string): Buffer => {
  const format = Buffer.alloc(16);
  format.writeUInt16LE(1, 0);
  format.writeUInt16LE(1, 2);
  format.writeUInt32LE(RATE, 4);
  format.writeUInt32LE(BYTES_PER_SECOND, 8);
  format.writeUInt16LE(2, 12);
  format.writeUInt16LE(16, 14);
  const samples = Math.round(RATE * SECONDS);
  const tones = [...words].map((letter) => (/\s/.test(letter) ? Buffer.alloc(samples * 2) : tone(letter.codePointAt(0) ?? 0, samples)));
  const comment = Buffer.concat([Buffer.from('INFO', 'latin1'), chunk('ICMT', Buffer.from(`${words}\0`))]);
  const chunks = Buffer.concat([chunk('fmt ', format), chunk('LIST', comment), chunk('data', Buffer.concat(tones))]);
  return chunk('RIFF', Buffer.concat([Buffer.from('WAVE', 'latin1'), chunks]));
};

export interface HeardSound {
  readonly text: string;
  readonly seconds: number;
}

const COMMENT = Buffer.from('ICMT', 'latin1');

/** What the sandbox itself said in a sound, or how long the sound may be: it knows nothing else of it. */
export const hear = (sound: Buffer): HeardSound => {
  const isWave = sound.length > HEAD && sound.toString('latin1', 0, 4) === 'RIFF' && sound.toString('latin1', 8, 12) === 'WAVE';
  const rate = isWave ? Math.max(1_000, sound.readUInt32LE(28)) : BYTES_PER_SECOND;
  const seconds = Math.round((sound.length / rate) * 100) / 100;
  const at = isWave ? sound.indexOf(COMMENT) : -1;
  if (at < 0 || at + 8 > sound.length)
    return { text: `A sound of ${seconds} seconds, in which nobody says anything that the sandbox knows.`, seconds };
  const text = sound.toString('utf8', at + 8, Math.min(sound.length, at + 8 + sound.readUInt32LE(at + 4)));
  return { text: text.replace(/\0+$/, ''), seconds };
};
