import { isUtf8 } from 'node:buffer';
import type { z } from 'zod';
import { refuse, type Refusal } from '../../schemas/errors.ts';
import { scanObject, type Span } from './json-spans.ts';
import type { RelayLimits } from './relay-limits.ts';

/** Names the first field that is not as it should be. */
export const firstIssue = (error: z.ZodError): Refusal => {
  const issue = error.issues[0];
  const param = issue?.path.join('.') ?? '';
  const message = issue?.message ?? 'not valid';
  return param === ''
    ? refuse('invalid_request', `The body is not valid: ${message}.`)
    : refuse('invalid_request', `${param}: ${message}.`, { param });
};

export interface Read {
  readonly value: unknown;
  readonly spans: readonly (Span | null)[];
  readonly inside: number;
}

/** JSON that every parser reads in the same way: what we charge for must be what the upstream does. */
export const readObject = (
  body: Buffer,
  members: readonly string[],
  limits: Pick<RelayLimits, 'jsonDepth' | 'jsonMembers'>,
): Read | Refusal => {
  if (body.length === 0) return refuse('invalid_json', 'The body is empty.');
  if (!isUtf8(body)) return refuse('invalid_json', 'The body is not valid UTF-8.');
  const scan = scanObject(body, members, { strict: { depth: limits.jsonDepth, members: limits.jsonMembers } });
  if (scan.tooDeep) return refuse('invalid_json', `The body is nested deeper than ${limits.jsonDepth} levels.`);
  if (scan.tooMany) return refuse('invalid_json', `The body has more than ${limits.jsonMembers} fields.`);
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch (error) {
    // The parser's sentence quotes the body; a position says as much and repeats nothing.
    const position = /position (\d+)/.exec(error instanceof Error ? error.message : '')?.[1];
    return refuse(
      'invalid_json',
      position === undefined ? undefined : `The body is not valid JSON: there is a mistake at position ${position}.`,
    );
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return refuse('invalid_request', 'The body must be a JSON object.');
  if (scan.repeated !== null)
    return refuse('invalid_json', `The field "${scan.repeated.slice(0, 64)}" is there twice.`, { param: scan.repeated.slice(0, 64) });
  if (scan.disguised !== null) {
    return refuse('invalid_request', `The field "${scan.disguised.slice(0, 64)}" is known in lower case only.`, {
      param: scan.disguised.slice(0, 64),
    });
  }
  return { value, spans: scan.spans, inside: scan.inside };
};
