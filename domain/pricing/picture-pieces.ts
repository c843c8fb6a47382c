import type { ModelPrice, PicturePieces } from '../../schemas/price.ts';

/** Of price lists that say nothing of pictures: DALL·E 3 as multiples of a standard picture of 1024 × 1024 (0.04 dollars; 0.08 and 0.12). */
const DALL_E_3: readonly PicturePieces[] = [
  { quality: 'standard', size: '1024x1024', pieces: 1 },
  { quality: 'hd', size: '1024x1024', pieces: 2 },
  { quality: 'hd', pieces: 3 },
  { quality: 'standard', pieces: 2 },
];

const tableOf = (model: string, price: Pick<ModelPrice, 'pictures'>): readonly PicturePieces[] | null =>
  price.pictures ?? (/(^|\/)dall-e-3$/.test(model) ? DALL_E_3 : null);

/**
 * For how many one picture counts where a price has one rate for the image. What the caller does not say is as in the table's first line; a
 * size or quality that the table does not know, `auto` among them, counts as the dearest. A model that is called otherwise here counts by its
 * price, or by the name that it has here.
 */
export const piecesOfPicture = (
  model: string,
  price: Pick<ModelPrice, 'pictures'>,
  asked: { readonly size?: string | null | undefined; readonly quality?: string | null | undefined },
): number => {
  const table = tableOf(model, price);
  const usual = table?.[0];
  if (table === null || usual === undefined) return 1;
  const [size, quality] = [asked.size ?? usual.size, asked.quality ?? usual.quality];
  const fits = (line: PicturePieces): boolean =>
    (line.size === undefined || line.size === size) && (line.quality === undefined || line.quality === quality);
  return table.find(fits)?.pieces ?? Math.max(...table.map(({ pieces }) => pieces));
};
