import type { StreamAppend } from './ports/event-log.ts';

/** Metadata and envelope of one event. */
const ENVELOPE_BYTES = 500;

const sizeOf = (value: unknown): number => {
  if (typeof value === 'string') return value.length + 3;
  if (typeof value !== 'object' || value === null) return 8;
  if (Array.isArray(value)) {
    let size = 2;
    for (const item of value) size += sizeOf(item);
    return size;
  }
  let size = 2;
  for (const key in value) size += key.length + 4 + sizeOf((value as { readonly [key: string]: unknown })[key]);
  return size;
};

/**
 * About how many bytes an append has as JSON, without making the JSON: text is counted by its UTF-16 length, so text in other scripts than
 * Latin can be up to three times as long. Good enough to bound a queue; the log's own limits are exact.
 */
export const roughBytes = ({ events }: StreamAppend): number => {
  let size = 0;
  for (const { data } of events) size += ENVELOPE_BYTES + sizeOf(data);
  return size;
};
