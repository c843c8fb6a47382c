import type { Told } from '../../domain/dialects/chat/told.ts';
import { readOpenAIUsage, type UsageReading } from '../../domain/pricing/openai-usage.ts';
import { scanObject, type Span } from './json-spans.ts';
import { DONE_MARK } from './sse.ts';

const USAGE_MARK = Buffer.from('"usage"');
const ERROR_MARK = Buffer.from('"error"');

/** Whether a member of this name with a value other than null stands anywhere in the bytes. A quoted name inside a text has its quotes escaped, so this sees none there. */
const hasValue = (bytes: Buffer, mark: Buffer): boolean => {
  for (let at = bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark, at)) {
    at += mark.length;
    while ((bytes[at] as number) <= 0x20) at++;
    if (bytes[at] !== 0x3a) continue;
    at++;
    while ((bytes[at] as number) <= 0x20) at++;
    if (bytes[at] !== 0x6e) return true;
  }
  return false;
};

/** Whether there is anything to do with these events but to pass them on. */
export const isOrdinary = (events: Buffer): boolean =>
  !events.includes(DONE_MARK) && !hasValue(events, USAGE_MARK) && !hasValue(events, ERROR_MARK);

/** Usage where some put it: Groq into a member of its own, Moonshot into the first choice. */
export const usageInside = (event: Buffer, groq: Span | null, choices: Span | null): Span | null => {
  if (groq !== null) return scanObject(event, ['usage'], { from: groq.start }).spans[0] ?? null;
  return choices === null || !event.includes(USAGE_MARK)
    ? null
    : (scanObject(event, ['usage'], { from: choices.start + 1 }).spans[0] ?? null);
};

/** The usage in what was told: nobody who tells puts it anywhere else. */
export const usageOf = ({ usage }: Readonly<Record<string, unknown>>): unknown => usage ?? null;

/** The error in what was told. */
export const errorOf = ({ error }: Readonly<Record<string, unknown>>): unknown => error ?? null;

/** Whether there is anything to do with what was told but to pass it on. */
export const isOrdinaryTold = (told: readonly Told[]): boolean =>
  told.every((one) => one === 'alive' || (one !== 'done' && usageOf(one.chunk) === null && errorOf(one.chunk) === null));

/** Usage as it is in the JSON that it stands for, in which what is no number is nothing. */
export const readToldUsage = (usage: unknown): UsageReading => readOpenAIUsage(JSON.parse(JSON.stringify(usage)), 'chat');
