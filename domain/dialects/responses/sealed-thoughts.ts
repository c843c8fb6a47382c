import { reasoningDetail, reasoningDetailsOf, type ReasoningDetail } from '../chat/reasoning-details.ts';
import { textOf } from '../loose-json.ts';

/**
 * What a provider wants back with its thoughts, as the `encrypted_content` of a `reasoning` item: clients of the Responses API send that back
 * without looking into it.
 */
export const sealOf = (details: readonly ReasoningDetail[]): string => JSON.stringify(details.map(reasoningDetail));

/** The same, read again; none in what somebody else has sealed. */
export const detailsIn = (sealed: unknown): readonly ReasoningDetail[] => {
  const text = textOf(sealed);
  if (!text.startsWith('[')) return [];
  try {
    return reasoningDetailsOf(JSON.parse(text));
  } catch {
    return [];
  }
};
