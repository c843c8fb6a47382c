import { ceilDivide } from '../../../domain/pricing/cost.ts';
import { RATIO_ONE, type ModelPrice, type Ratio } from '../../../schemas/price.ts';

/** The share of a price that is paid in a batch: the group's, times the model's. */
export const batchRatio = (group: Ratio, { batchRatio: share = RATIO_ONE }: ModelPrice): Ratio =>
  Number(ceilDivide(BigInt(group) * BigInt(share), BigInt(RATIO_ONE))) as Ratio;
