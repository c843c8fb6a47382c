import { refuse } from '../../../schemas/errors.ts';
import { taskAnswer } from './task-answer.ts';
import type { UpstreamDialect } from './upstream-dialect.ts';

/** An upstream whose own form is the only one for its tasks: they go out in it as they came. */
export const pieceTaskUpstream = (endpoint: 'music' | 'midjourney', platform: 'suno' | 'midjourney'): UpstreamDialect => ({
  ask: ({ parsed, limits }) =>
    parsed.endpoint === endpoint
      ? { path: parsed.path, headers: {}, body: parsed.body, interpreter: taskAnswer(platform, limits) }
      : refuse(
          'invalid_request',
          `Models behind ${platform === 'suno' ? 'Suno make music' : 'Midjourney make pictures by its tasks'} only.`,
        ),
});
