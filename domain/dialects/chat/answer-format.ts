import { isRecord, textOf } from '../loose-json.ts';

type Json = Readonly<Record<string, unknown>>;

/** The form in which a chat request wants its answer. */
export type AnswerFormat =
  { readonly kind: 'text' } | { readonly kind: 'json' } | { readonly kind: 'schema'; readonly name: string; readonly schema: Json };

/** What `response_format` asks for. */
export const answerFormatOf = (format: unknown): AnswerFormat => {
  if (!isRecord(format)) return { kind: 'text' };
  if (format['type'] === 'json_object') return { kind: 'json' };
  const described = format['json_schema'];
  if (format['type'] !== 'json_schema' || !isRecord(described)) return { kind: 'text' };
  return isRecord(described['schema'])
    ? { kind: 'schema', name: textOf(described['name']), schema: described['schema'] }
    : { kind: 'json' };
};
