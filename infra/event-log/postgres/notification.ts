import type { Position } from '../../../schemas/event-envelope.ts';

/** What an append tells other processes: who appended, what, and up to which position. */
export interface Notification {
  readonly writer: string;
  /** Categories and types; `undefined`: it may be anything. */
  readonly kinds: readonly string[] | undefined;
  readonly position: Position;
}

/** PostgreSQL takes less than 8 000 bytes; what would be longer is told without its kinds. */
const LONGEST_SENDER = 4_000;

/**
 * What stands before the last colon of a notification: `writer;kind,kind`. Processes of a release that knows no kinds take all of it for
 * the name of a writer that is not theirs, and look, which is right.
 */
export const senderText = (writer: string, kinds: Iterable<string>): string => {
  const text = `${writer};${[...kinds].join(',')}`;
  return text.length <= LONGEST_SENDER ? text : writer;
};

/** `null` for what no process of ours sends. */
export const parseNotification = (payload: string): Notification | null => {
  const colon = payload.lastIndexOf(':');
  const position = payload.slice(colon + 1);
  if (colon <= 0 || !/^\d+$/.test(position)) return null;
  const sender = payload.slice(0, colon);
  const semicolon = sender.indexOf(';');
  const kinds = semicolon < 0 ? undefined : sender.slice(semicolon + 1).split(',');
  return { writer: semicolon < 0 ? sender : sender.slice(0, semicolon), kinds, position: BigInt(position) as Position };
};
