import { hashOf } from './text.ts';

const DEFAULT_DIMENSIONS = 256;

const add = (vector: Float32Array, feature: string, weight: number): void => {
  const hash = hashOf(feature);
  const place = hash % vector.length;
  // The sign comes from bits that do not choose the place, so that features that meet do not always add up.
  vector[place] = (vector[place] as number) + ((hash >>> 16) & 1 ? weight : -weight);
};

/**
 * A unit vector made of the text's words and three-letter pieces: texts that share words are near each other, the same
 * text is always the same vector, and no model is asked.
 */
export const embed = (text: string, dimensions = DEFAULT_DIMENSIONS): Float32Array => {
  const vector = new Float32Array(dimensions);
  const normal = text.normalize('NFKC').toLowerCase();
  for (const word of normal.match(/[\p{L}\p{N}]+/gu) ?? []) {
    add(vector, `word ${word}`, 2);
    for (let at = 0; at + 3 <= word.length; at++) add(vector, `piece ${word.slice(at, at + 3)}`, 1);
  }
  let length = 0;
  for (const value of vector) length += value * value;
  if (length === 0) {
    vector[0] = 1;
    return vector;
  }
  const scale = 1 / Math.sqrt(length);
  for (let at = 0; at < vector.length; at++) vector[at] = (vector[at] as number) * scale;
  return vector;
};
