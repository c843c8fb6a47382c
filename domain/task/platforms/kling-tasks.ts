import { isRecord, textOf } from '../../dialects/loose-json.ts';
import { asSegment, idIn, type Platform } from './platform.ts';

const dataIn = (said: unknown): Readonly<Record<string, unknown>> => (isRecord(said) && isRecord(said['data']) ? said['data'] : {});

/** Kling's codes, by the status that means the same. */
const statusOf = (code: number): number => {
  if (code >= 1000 && code <= 1004) return 401;
  if (code === 1101 || code === 1102) return 402;
  if (code === 1302 || code === 1303) return 429;
  return code >= 1200 && code < 1400 ? 400 : 502;
};

/** Kling's own API. Nothing in it says how far a task is. */
export const klingTasks: Platform = {
  taken: (said) => {
    if (!isRecord(said)) return { refusedWith: '', status: 502 };
    const upstreamId = said['code'] === 0 ? idIn(dataIn(said)['task_id']) : null;
    return upstreamId === null ? { refusedWith: textOf(said['message']), status: statusOf(Number(said['code'])) } : { upstreamId };
  },
  path: (action, upstreamId) => `/v1/videos/${asSegment(action)}/${asSegment(upstreamId)}`,
  news: (said) => {
    const data = dataIn(said);
    switch (data['task_status']) {
      case 'submitted':
        return { status: 'queued', percent: 0 };
      case 'processing':
        return { status: 'in_progress', percent: 0 };
      case 'succeed':
        return { status: 'succeeded' };
      case 'failed':
        return { status: 'failed', code: 'failed', reason: textOf(data['task_status_msg']) };
      default:
        return null;
    }
  },
  made: (said) => {
    const result = dataIn(said)['task_result'];
    const videos = isRecord(result) && Array.isArray(result['videos']) ? (result['videos'] as readonly unknown[]) : [];
    return videos.flatMap((video) => (isRecord(video) && typeof video['url'] === 'string' ? [video['url']] : []));
  },
};
