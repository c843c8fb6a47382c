import { refuse, type Refusal } from '../../../schemas/errors.ts';
import { skipString } from '../json-spans.ts';

/** Objects, lists and members that a body may have, whatever its size; and one more for each so many bytes. */
const PARTS = 100_000;
const BYTES_A_PART = 128;
/** Elements of lists, all together. */
const ELEMENTS = 2_000_000;

/** Smaller bodies weigh nothing: they cannot have more than is parsed in a moment. Bytes. */
export const WEIGHED = 64 * 1024;

/** What a part, and an element, take at most once they are parsed, beside their text. */
const PART_BYTES = 64;
const ELEMENT_BYTES = 8;

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const OPEN_BRACKET = 0x5b;

const TOO_MUCH: Refusal = refuse(
  'body_too_large',
  `The body has more values than are taken here: ${PARTS} objects, lists and members, and one more for every ${BYTES_A_PART} bytes, or ${ELEMENTS} elements.`,
);

/**
 * What JSON takes in memory, in bytes, once it is parsed, beside its own bytes; or that it is refused. Parsing holds up everybody else, and takes longer than
 * in proportion to how many values are open: a body of 30 MB that is nothing but empty objects takes half a minute and a gigabyte. Bytes that
 * are no JSON weigh something too; whoever parses them finds out.
 */
export const weighJson = (bytes: Buffer): number | Refusal => {
  if (bytes.length < WEIGHED) return 0;
  const mostParts = PARTS + bytes.length / BYTES_A_PART;
  let parts = 0;
  let commas = 0;
  for (let at = 0; at >= 0 && at < bytes.length;) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      at = skipString(bytes, at);
      continue;
    }
    at++;
    if (byte === COMMA) {
      if (++commas > ELEMENTS) return TOO_MUCH;
    } else if ((byte === COLON || byte === OPEN_BRACE || byte === OPEN_BRACKET) && ++parts > mostParts) return TOO_MUCH;
  }
  return parts * PART_BYTES + commas * ELEMENT_BYTES;
};
