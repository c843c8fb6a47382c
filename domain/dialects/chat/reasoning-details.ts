import { isRecord, textOf } from '../loose-json.ts';

/**
 * A thought with what its provider wants back with it. The hub has it beside `reasoning_content`, in a message's `reasoning_details`, in the
 * form that OpenRouter made common: clients that send an answer's message back as they got it keep it without knowing it.
 */
export type ReasoningDetail =
  /** `format` says whose signature it is: one provider's means nothing to another. */
  | { readonly kind: 'text'; readonly text: string; readonly signature: string; readonly format: string }
  /** A thought that is not told in the open. */
  | { readonly kind: 'encrypted'; readonly data: string; readonly format: string };

/** What of a message's `reasoning_details` can be sent back; all else there is for reading only. */
export const reasoningDetailsOf = (value: unknown): readonly ReasoningDetail[] => {
  if (!Array.isArray(value)) return [];
  const details: ReasoningDetail[] = [];
  for (const one of value as readonly unknown[]) {
    if (!isRecord(one)) continue;
    const format = textOf(one['format']);
    if (one['type'] === 'reasoning.text' && textOf(one['signature']) !== '')
      details.push({ kind: 'text', text: textOf(one['text']), signature: textOf(one['signature']), format });
    else if (one['type'] === 'reasoning.encrypted' && textOf(one['data']) !== '')
      details.push({ kind: 'encrypted', data: textOf(one['data']), format });
  }
  return details;
};

/** One entry of `reasoning_details`. */
export const reasoningDetail = (detail: ReasoningDetail, index: number): Readonly<Record<string, unknown>> =>
  detail.kind === 'text'
    ? { type: 'reasoning.text', text: detail.text, signature: detail.signature, format: detail.format, index }
    : { type: 'reasoning.encrypted', data: detail.data, format: detail.format, index };
