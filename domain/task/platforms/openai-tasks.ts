import { isRecord, textOf } from '../../dialects/loose-json.ts';
import { asSegment, idIn, percentIn, type Platform } from './platform.ts';

const errorIn = (said: unknown): { readonly code: string; readonly message: string } => {
  const error = isRecord(said) && isRecord(said['error']) ? said['error'] : {};
  return { code: textOf(error['code']) || 'failed', message: textOf(error['message']) };
};

/** Videos of OpenAI's API. */
export const openaiTasks: Platform = {
  taken: (said) => {
    const upstreamId = isRecord(said) ? idIn(said['id']) : null;
    return upstreamId === null ? { refusedWith: errorIn(said).message, status: 502 } : { upstreamId };
  },
  path: (_action, upstreamId) => `/videos/${asSegment(upstreamId)}`,
  news: (said) => {
    if (!isRecord(said)) return null;
    const percent = percentIn(said['progress']);
    switch (said['status']) {
      case 'queued':
      case 'pending':
        return { status: 'queued', percent };
      case 'in_progress':
      case 'processing':
        return { status: 'in_progress', percent };
      case 'completed':
        return { status: 'succeeded' };
      case 'failed':
      case 'cancelled':
      case 'expired': {
        const { code, message } = errorIn(said);
        return { status: 'failed', code, reason: message };
      }
      default:
        return null;
    }
  },
  made: () => [],
};
