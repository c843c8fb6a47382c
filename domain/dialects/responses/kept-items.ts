import type { KeptItem } from '../../../schemas/responses/kept-content.ts';
import { isRecord, textOf } from '../loose-json.ts';

type Json = Readonly<Record<string, unknown>>;

const PREFIXES: Readonly<Record<string, string>> = {
  message: 'msg',
  reasoning: 'rs',
  function_call: 'fc',
  function_call_output: 'fco',
  custom_tool_call: 'ctc',
  custom_tool_call_output: 'ctco',
};

const partsOf = (role: unknown, content: unknown): unknown =>
  typeof content !== 'string'
    ? content
    : [
        role === 'assistant'
          ? { type: 'output_text', text: content, annotations: [], logprobs: [] }
          : { type: 'input_text', text: content },
      ];

/** Items as they are kept and listed: each whole, and with an id of ours made of `idBody`. */
export const keptItems = (input: unknown, idBody: string): readonly KeptItem[] => {
  const items: readonly unknown[] =
    typeof input === 'string' ? [{ role: 'user', content: input }] : Array.isArray(input) ? (input as readonly unknown[]) : [];
  return items.filter(isRecord).map((item, index): KeptItem => {
    const type = textOf(item['type']) || 'message';
    const id = `${PREFIXES[type] ?? 'item'}_${idBody}-${index}`;
    return type === 'message'
      ? { status: 'completed', ...item, type, id, content: partsOf(item['role'], item['content']) }
      : { ...item, type, id };
  });
};

/** The answer that an item of this id belongs to; `null`: not one of ours. */
export const responseOfItem = (itemId: string): string | null => {
  const body = /^[a-z]+_([0-9A-Za-z]+)(?:-in)?-\d+$/.exec(itemId)?.[1];
  return body === undefined ? null : `resp_${body}`;
};

/** What requests of the Responses API refer to by its id alone. */
export const referencesIn = (input: unknown): readonly string[] =>
  Array.isArray(input)
    ? (input as readonly unknown[]).flatMap((item) =>
        isRecord(item) && item['type'] === 'item_reference' && typeof item['id'] === 'string' ? [item['id']] : [],
      )
    : [];

/** The items, with what is found in place of a reference to it. */
export const withReferences = (input: readonly Json[], found: ReadonlyMap<string, unknown>): readonly unknown[] =>
  input.map((item) => (item['type'] === 'item_reference' ? (found.get(textOf(item['id'])) ?? item) : item));
