/** Tokens that one picture of 1024 × 1024 takes by its quality, as OpenAI publishes them for its models; others grow with their area. */
const SQUARE = { low: 272, medium: 1_056, high: 4_160 } as const;
const SQUARE_AREA = 1_024 * 1_024;
/** The largest of the usual sizes. */
const USUAL_AREA = 1_536 * 1_024;
/** A picture that is shown before it is done. */
const PARTIAL = 100;

export interface ImagesAsked {
  readonly n: number;
  readonly size: string | null;
  readonly quality: string | null;
  readonly partialImages: number;
}

/** `1536x1024`: its area; `null` where the model chooses. */
const areaOf = (size: string | null): number | null => {
  const match = /^(\d{1,5})x(\d{1,5})$/.exec(size ?? '');
  return match === null ? null : Number(match[1]) * Number(match[2]);
};

const ofArea = (tokens: number, area: number): number => Math.ceil((tokens * area) / SQUARE_AREA);

/** The most tokens that the pictures of a call can take. */
export const mostImageTokens = ({ n, size, quality, partialImages }: ImagesAsked): number => {
  const tokens = quality === 'low' || quality === 'medium' ? SQUARE[quality] : SQUARE.high;
  return n * (ofArea(tokens, areaOf(size) ?? USUAL_AREA) + PARTIAL * partialImages);
};

/** What they are likely to have taken, where nobody says. */
export const likelyImageTokens = ({ n, size, quality, partialImages }: ImagesAsked): number => {
  const tokens = quality === 'low' || quality === 'high' ? SQUARE[quality] : SQUARE.medium;
  return n * (ofArea(tokens, areaOf(size) ?? SQUARE_AREA) + PARTIAL * partialImages);
};
