import { isRecord, textOf } from '../../dialects/loose-json.ts';
import { asSegment, idIn, percentIn, type Platform } from './platform.ts';

/** Taken; there already, or waiting for a second step; queued. */
const TAKEN_CODES: ReadonlySet<unknown> = new Set([1, 21, 22]);

/** No account is free; the queue is full; it failed. Anything else is the caller's fault. */
const STATUS: ReadonlyMap<unknown, number> = new Map([
  [3, 503],
  [23, 429],
  [9, 502],
]);

/** Midjourney behind a proxy. */
export const midjourneyTasks: Platform = {
  taken: (said) => {
    if (!isRecord(said)) return { refusedWith: '', status: 502 };
    const upstreamId = TAKEN_CODES.has(said['code']) ? idIn(said['result']) : null;
    return upstreamId === null ? { refusedWith: textOf(said['description']), status: STATUS.get(said['code']) ?? 400 } : { upstreamId };
  },
  path: (_action, upstreamId) => `/mj/task/${asSegment(upstreamId)}/fetch`,
  news: (said) => {
    if (!isRecord(said)) return null;
    const percent = percentIn(said['progress']);
    switch (said['status']) {
      case 'NOT_START':
      case 'SUBMITTED':
      case 'MODAL':
        return { status: 'queued', percent };
      case 'IN_PROGRESS':
        return { status: 'in_progress', percent };
      case 'SUCCESS':
        return { status: 'succeeded' };
      case 'FAILURE':
        return { status: 'failed', code: 'failed', reason: textOf(said['failReason']) };
      case 'CANCEL':
        return { status: 'failed', code: 'cancelled', reason: textOf(said['failReason']) };
      default:
        return null;
    }
  },
  made: (said) => (isRecord(said) && typeof said['imageUrl'] === 'string' && said['imageUrl'] !== '' ? [said['imageUrl']] : []),
};
