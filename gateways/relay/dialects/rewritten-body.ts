import type { Refusal } from '../../../schemas/errors.ts';
import { readObject } from '../parse.ts';
import type { HubBody } from '../spending-route.ts';

type Json = Readonly<Record<string, unknown>>;

/** A body that is read as JSON, of which every parser makes the same, and told anew in the hub’s form. */
export const rewrittenBody =
  (members: readonly string[], into: (value: Json) => Json | Refusal): HubBody =>
  (body, limits) => {
    const read = readObject(body, members, limits);
    if ('refused' in read) return read;
    const said = into(read.value as Json);
    return 'refused' in said ? (said as Refusal) : Buffer.from(JSON.stringify(said));
  };
