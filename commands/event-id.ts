import { hash } from 'node:crypto';
import type { CommandId, EventId } from '../schemas/ids.ts';

/** Namespace of the name-based UUIDs below. Drawn at random once; changing it would make retries of recorded commands unrecognisable. */
const NAMESPACE = Buffer.from('6f2f0c5e9a6b4d7c8f31d2a4b5c6e713', 'hex');

/** A command id is at most 200 UTF-16 units, so at most 600 bytes; the index and the separator need a few more. */
const scratch = Buffer.alloc(NAMESPACE.length + 640);
NAMESPACE.copy(scratch);

/** The id's text, set byte by byte: put together from pieces it would have to be flattened by whoever looks at it next. */
const text = Buffer.from('00000000-0000-5000-0000-000000000000', 'latin1');
const VARIANT = Buffer.from('89ab', 'latin1');

/** Where the digits of the digest go; the version is set already, and the variant has two bits of the digest. */
const VERSION_AT = 14;
const VARIANT_AT = 19;

const digitOf = (hexDigit: number): number => (hexDigit <= 0x39 ? hexDigit - 0x30 : hexDigit - 0x57);

/**
 * The id of the `index`-th event of a command: a version 5 UUID (RFC 9562), so that a repeated command makes the very same events and
 * the log can tell a repeated append from a new one. The index comes first and ends at the first slash, so no two pairs share a name.
 *
 * @throws RangeError when the command id is longer than the schema of command ids allows.
 */
export const deriveEventId = (commandId: CommandId, index: number): EventId => {
  if (commandId.length > 200) throw new RangeError('A command id has at most 200 characters.');
  const end = NAMESPACE.length + scratch.write(`${index}/${commandId}`, NAMESPACE.length);
  const digest = hash('sha1', scratch.subarray(0, end), 'hex');
  for (let at = 0, digit = 0; at < text.length; at++) {
    if (at === 8 || at === 13 || at === 18 || at === 23) continue;
    const hexDigit = digest.charCodeAt(digit++);
    if (at === VARIANT_AT) text[at] = VARIANT[digitOf(hexDigit) & 3] as number;
    else if (at !== VERSION_AT) text[at] = hexDigit;
  }
  return text.toString('latin1') as EventId;
};
