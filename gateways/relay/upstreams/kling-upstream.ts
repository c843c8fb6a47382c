import { usualSeconds } from '../../../domain/task/video-asked.ts';
import { refuse } from '../../../schemas/errors.ts';
import type { ParsedVideo } from '../endpoints/videos.ts';
import { asJson } from './json-bytes.ts';
import { taskAnswer } from './task-answer.ts';
import type { UpstreamDialect } from './upstream-dialect.ts';

const RATIOS: Readonly<Record<string, string>> = { '16:9': '16:9', '9:16': '9:16', '1:1': '1:1' };

const ratioOf = (size: string): string | undefined => {
  const [width = 0, height = 0] = size.split('x').map(Number);
  return RATIOS[size] ?? (width > height ? '16:9' : width < height ? '9:16' : width > 0 ? '1:1' : undefined);
};

/** An address or base64, wherever the request has it. */
const pictureOf = ({ asked, form, body }: ParsedVideo): string | null => {
  const file = form?.files[0];
  return file === undefined ? asked.image : body.toString('base64', file.start, file.end ?? body.length);
};

export const klingAction = ({ asked, form }: ParsedVideo): 'image2video' | 'text2video' =>
  asked.image === null && (form === null || form.files.length === 0) ? 'text2video' : 'image2video';

/** Kling's own API. */
export const klingUpstream: UpstreamDialect = {
  ask: ({ parsed, upstreamModel, limits }) => {
    if (parsed.endpoint !== 'videos') return refuse('invalid_request', 'Models behind Kling make videos only.');
    if (parsed.remixed !== null) return refuse('invalid_request', 'Models behind Kling make no video anew.');
    const { prompt, seconds, size, extras } = parsed.asked;
    const image = pictureOf(parsed);
    const ratio = size === null ? undefined : ratioOf(size);
    return {
      path: `/v1/videos/${klingAction(parsed)}`,
      headers: {},
      body: asJson({
        ...extras,
        model_name: upstreamModel,
        prompt,
        duration: String(seconds ?? usualSeconds(parsed.request.model)),
        ...(ratio === undefined || image !== null ? {} : { aspect_ratio: ratio }),
        ...(image === null ? {} : { image }),
      }),
      interpreter: taskAnswer('kling', limits),
    };
  },
};
