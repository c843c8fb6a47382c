/** What a video is asked for by, whatever the words. */
export interface VideoAsked {
  readonly prompt: string;
  readonly seconds: number | null;
  /** `1280x720`, or an aspect ratio such as `16:9`. */
  readonly size: string | null;
  /** Address or base64 of the picture that it begins with. */
  readonly image: string | null;
  /** Members of the upstream's own form that have no name in common. */
  readonly extras: Readonly<Record<string, unknown>>;
}

/** What upstreams make who are not told how long it should be. */
export const usualSeconds = (model: string): number => (model.includes('sora') ? 4 : model.includes('veo') ? 8 : 5);

/** OpenAI asks five thirds of the usual rate for Sora 2 Pro at these sizes. */
const LARGE_SIZES: ReadonlySet<string> = new Set(['1792x1024', '1024x1792']);

/** Seconds as they are charged: whole ones, so that a dearer size is counted as the next whole second. */
export const chargedSeconds = (model: string, { seconds, size }: Pick<VideoAsked, 'seconds' | 'size'>): number => {
  const length = seconds ?? usualSeconds(model);
  return model.includes('sora-2-pro') && !model.includes('high-res') && size !== null && LARGE_SIZES.has(size)
    ? Math.ceil((length * 5) / 3)
    : length;
};
