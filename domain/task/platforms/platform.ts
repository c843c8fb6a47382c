import { textOf } from '../../dialects/loose-json.ts';
import type { TaskNews } from '../task.ts';

/** What an upstream answers to a submission that it takes; or its words on why it does not, and the HTTP status that means the same. */
export type Taken = { readonly upstreamId: string } | { readonly refusedWith: string; readonly status: number };

/** How tasks are asked about at one kind of upstream. */
export interface Platform {
  taken(said: unknown): Taken;
  /** Behind the base URL; asked with GET. */
  path(upstreamAction: string, upstreamId: string): string;
  /** `null`: nothing in it says how the task is. */
  news(said: unknown): TaskNews | null;
  /** Addresses of what was made, the main one first. */
  made(said: unknown): readonly string[];
}

export const MOST_ID_LENGTH = 200;

/** An upstream's name for a task, as a segment of a path. */
export const asSegment = (upstreamId: string): string => encodeURIComponent(upstreamId);

/** `45%` and 45 alike. */
export const percentIn = (value: unknown): number => {
  const number = typeof value === 'number' ? value : typeof value === 'string' ? Number.parseFloat(value) : 0;
  return Number.isFinite(number) ? number : 0;
};

/** A name that can be kept, from a text or a number. */
export const idIn = (value: unknown): string | null => {
  const text = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : textOf(value);
  return text === '' || text.length > MOST_ID_LENGTH ? null : text;
};
