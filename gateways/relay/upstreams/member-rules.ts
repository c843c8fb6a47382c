import type { MemberRules } from '../../../domain/providers/provider-quirks.ts';
import { membersOf } from '../json-spans.ts';

const COMMA = Buffer.from(',');

/** A body whose members keep to the rules; every value that stays keeps its bytes. The same buffer where there is nothing to do. */
export const keepRules = (body: Buffer, { drop = [], rename = {}, most = {} }: MemberRules): Buffer => {
  const members = membersOf(body);
  const names = new Set(members.map(({ name }) => name));
  let changed = false;
  const kept: Buffer[] = [];
  for (const { name, start, end, value } of members) {
    const known = Object.hasOwn(rename, name) ? (rename[name] as string) : name;
    const isDropped = drop.includes(name) || (known !== name && names.has(known));
    const bound = Object.hasOwn(most, known) ? (most[known] as number) : Infinity;
    const isBeyond = bound !== Infinity && Number(body.toString('latin1', value.start, value.end)) > bound;
    if (!isDropped) {
      if (kept.length > 0) kept.push(COMMA);
      kept.push(
        known === name && !isBeyond
          ? body.subarray(start, end)
          : Buffer.concat([
              Buffer.from(`${JSON.stringify(known)}:`),
              isBeyond ? Buffer.from(String(bound)) : body.subarray(value.start, value.end),
            ]),
      );
    }
    changed ||= isDropped || isBeyond || known !== name;
  }
  return changed ? Buffer.concat([Buffer.from('{'), ...kept, Buffer.from('}')]) : body;
};
