import { z } from 'zod';
import type { JsonValue, Position } from '../../../schemas/event-envelope.ts';

/** Largest value of the column that holds positions. */
const LAST_POSITION = 9_223_372_036_854_775_807n;

/** A place in the log, as it stands in a cursor. */
export const CursorPosition = z.codec(
  z.string().regex(/^\d{1,19}$/),
  z.custom<Position>((value) => typeof value === 'bigint' && value <= LAST_POSITION),
  { decode: (text) => BigInt(text) as Position, encode: (position) => position.toString() },
);

/** A name, as it stands in a cursor. No stored text holds NUL. */
export const CursorName = z
  .string()
  .max(250)
  .refine((name) => !name.includes('\0'));

/** The ends of pages of one kind, as clients hold them. */
export interface Cursors<Place> {
  of(place: Place): string;
  /** `undefined` for whatever {@link Cursors.of} did not make. */
  read(cursor: string | undefined): Place | undefined;
}

const jsonIn = (cursor: string): unknown => {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
};

export const cursorsOf = <Schema extends z.ZodType<unknown, JsonValue>>(schema: Schema): Cursors<z.output<Schema>> => ({
  of: (place) => Buffer.from(JSON.stringify(z.encode(schema, place))).toString('base64url'),
  read: (cursor) => (cursor === undefined ? undefined : schema.safeParse(jsonIn(cursor)).data),
});
