/** Prices of DALL·E 3 as multiples of that of a standard picture of 1024 × 1024, which is what a price list has for it (0.04 dollars; 0.08 and 0.12). */
const DALL_E_3 = { standardSquare: 1, standardOther: 2, hdSquare: 2, hdOther: 3 } as const;

const SQUARE = '1024x1024';

/**
 * For how many one picture counts where a price has one rate for the picture: models are few whose pictures cost more by their size or quality
 * and are not charged by tokens. A model that is called otherwise here counts by the name that it has here.
 */
export const piecesOfPicture = (
  model: string,
  { size, quality }: { readonly size?: string | null | undefined; readonly quality?: string | null | undefined },
): number => {
  if (!/(^|\/)dall-e-3$/.test(model)) return 1;
  const isSquare = (size ?? SQUARE) === SQUARE;
  if (quality === 'hd') return isSquare ? DALL_E_3.hdSquare : DALL_E_3.hdOther;
  return isSquare ? DALL_E_3.standardSquare : DALL_E_3.standardOther;
};
