import { refuse, type Refusal } from '../../../schemas/errors.ts';
import type { Conversion } from '../convert.ts';
import { FormScanner, type FormPart } from '../form-scanner.ts';
import { splice, type Span } from '../json-spans.ts';

/** A form that is held whole. */
export interface Form {
  readonly boundary: string;
  /** Fields by name; files are not among them. */
  readonly fields: Readonly<Record<string, string>>;
  readonly parts: readonly FormPart[];
  readonly files: readonly FormPart[];
  readonly model: Span | null;
}

const FIELD_BYTES = 1024 * 1024;

/** A form whose fields are each there once, so that nobody reads it in another way; lists, whose names end with `[]`, may repeat. */
export const readForm = (body: Buffer, boundary: string): Form | Refusal => {
  const scanner = new FormScanner(boundary);
  scanner.push(body);
  if (scanner.wrong || !scanner.complete) return refuse('invalid_request', 'The body is not a complete form of multipart/form-data.');
  const fields: Record<string, string> = Object.create(null) as Record<string, string>;
  const files: FormPart[] = [];
  let model: Span | null = null;
  for (const part of scanner.parts) {
    const end = part.end ?? body.length;
    if (part.filename !== null) {
      files.push(part);
      continue;
    }
    if (part.name in fields && !part.name.endsWith('[]'))
      return refuse('invalid_request', `The field "${part.name.slice(0, 64)}" is there twice.`, { param: part.name.slice(0, 64) });
    if (end - part.start > FIELD_BYTES)
      return refuse('invalid_request', `The field "${part.name.slice(0, 64)}" is too long.`, { param: part.name.slice(0, 64) });
    fields[part.name] = body.toString('utf8', part.start, end);
    if (part.name === 'model') model = { start: part.start, end };
  }
  return { boundary, parts: scanner.parts, fields, files, model };
};

/** What a form says, whatever boundary it was sent with: clients make a new one each time that they try again. */
export const wordsOf = (parts: readonly FormPart[], body: Buffer): readonly (string | Buffer)[] =>
  parts.flatMap(({ name, filename, start, end }) => {
    const value = body.subarray(start, end ?? body.length);
    return [JSON.stringify([name, filename, value.length]), value];
  });

/** The form as the upstream gets it: by its own name for the model. */
export const convertForm = (body: Buffer, model: Span, { upstreamModel }: Conversion): Buffer =>
  body.toString('utf8', model.start, model.end) === upstreamModel ? body : splice(body, [{ ...model, text: upstreamModel }]);

export const formHeaders = (boundary: string): Readonly<Record<string, string>> => ({
  'content-type': `multipart/form-data; boundary=${/^[\w'()+,./:=?-]+$/.test(boundary) && !/[()+,/:=?]/.test(boundary) ? boundary : `"${boundary}"`}`,
});
