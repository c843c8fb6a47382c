import type { EgressCheck } from '../../../commands/ports/egress-check.ts';
import { usualSeconds } from '../../../domain/task/video-asked.ts';
import { refuse } from '../../../schemas/errors.ts';
import type { ParsedVideo } from '../endpoints/videos.ts';
import type { RelayLimits } from '../relay-limits.ts';
import { klingAction } from '../upstreams/kling-upstream.ts';
import type { TaskAsked } from './task-asked.ts';
import type { TaskDesk } from './task-desk.ts';

export interface TaskDeps {
  readonly tasks: TaskDesk | null;
  readonly limits: RelayLimits;
}

/** What a body for a video is read with. */
export interface VideoParsing {
  readonly limits: RelayLimits;
  readonly hookEgress: EgressCheck;
}

/** A video that is asked for, and where its caller wants to be told of it. */
export interface HookedVideo {
  readonly parsed: ParsedVideo;
  readonly hook: { readonly url: string } | null;
}

export const NO_TASKS = refuse('not_found', 'Tasks are not kept here.');

/** What is recorded of a video, whichever words it was asked for in. */
export const videoTask = (
  shape: TaskAsked['shape'],
  parsed: ParsedVideo,
  more: Pick<TaskAsked, 'answer'> & Partial<Pick<TaskAsked, 'source' | 'action' | 'hook'>>,
): TaskAsked => ({
  shape,
  action: 'generate',
  upstreamAction: (platform) => (platform === 'kling' ? klingAction(parsed) : 'generate'),
  seconds: parsed.asked.seconds ?? usualSeconds(parsed.request.model),
  size: parsed.asked.size,
  source: null,
  ...more,
});
