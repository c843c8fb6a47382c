import { isRecord, textOf } from '../../dialects/loose-json.ts';
import { asSegment, idIn, percentIn, type Platform } from './platform.ts';

const dataIn = (said: unknown): Readonly<Record<string, unknown>> => (isRecord(said) && isRecord(said['data']) ? said['data'] : {});

const clipsIn = (said: unknown): readonly unknown[] => {
  const { data } = dataIn(said);
  return Array.isArray(data) ? (data as readonly unknown[]) : [];
};

/** The form that gateways have in common for Suno. */
export const sunoTasks: Platform = {
  taken: (said) => {
    if (!isRecord(said)) return { refusedWith: '', status: 502 };
    const { data, code, message } = said;
    const upstreamId = code === 'success' ? (isRecord(data) ? idIn(data['task_id']) : idIn(data)) : null;
    return upstreamId === null ? { refusedWith: textOf(message), status: 400 } : { upstreamId };
  },
  path: (_action, upstreamId) => `/suno/fetch/${asSegment(upstreamId)}`,
  news: (said) => {
    const data = dataIn(said);
    const percent = percentIn(data['progress']);
    switch (textOf(data['status']).toUpperCase()) {
      case 'NOT_START':
      case 'SUBMITTED':
      case 'QUEUED':
        return { status: 'queued', percent };
      case 'IN_PROGRESS':
        return { status: 'in_progress', percent };
      case 'SUCCESS':
        return { status: 'succeeded' };
      case 'FAILURE':
        return { status: 'failed', code: 'failed', reason: textOf(data['fail_reason']) };
      default:
        return null;
    }
  },
  made: (said) => clipsIn(said).flatMap((clip) => (isRecord(clip) && typeof clip['audio_url'] === 'string' ? [clip['audio_url']] : [])),
};
