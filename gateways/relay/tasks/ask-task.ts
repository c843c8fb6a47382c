import type { EventOf } from '../../../schemas/events/catalogue.ts';
import { askPlace, type PlaceDeps } from '../upstream-place.ts';

const MOST_BYTES = 8 * 1024 * 1024;

/** Asks about a task the channel that took it, with the key that it was taken for; `null` where either is gone or nothing came back. */
export const askTask = (
  deps: PlaceDeps,
  submission: EventOf<'TaskSubmitted'>['data'],
  question: { readonly method: 'GET' | 'DELETE'; readonly path: string },
): Promise<{ readonly status: number; readonly said: unknown } | null> => askPlace(deps, submission, question, undefined, MOST_BYTES);
