import { hash } from 'node:crypto';
import type { CommandId, EventId } from '../schemas/ids.ts';

/** Namespace of the name-based UUIDs below. Drawn at random once; changing it would make retries of recorded commands unrecognisable. */
const NAMESPACE = Buffer.from('6f2f0c5e9a6b4d7c8f31d2a4b5c6e713', 'hex');

/** A command id is at most 200 UTF-16 units, so at most 600 bytes; the index and the separator need a few more. */
const scratch = Buffer.alloc(NAMESPACE.length + 640);
NAMESPACE.copy(scratch);

const VARIANT = '89ab';

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
  const variant = VARIANT[Number.parseInt(digest[16] as string, 16) & 3] as string;
  return `${digest.slice(0, 8)}-${digest.slice(8, 12)}-5${digest.slice(13, 16)}-${variant}${digest.slice(17, 20)}-${digest.slice(20, 32)}` as EventId;
};
