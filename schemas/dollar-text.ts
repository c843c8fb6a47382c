import { z } from 'zod';
import type { Money } from './money.ts';

/** Dollars as people write them, down to the nano-dollar, read as an amount: `5`, `0.25`. */
export const fromDollarTextSchema = z
  .string()
  .regex(/^\d{1,9}(\.\d{1,9})?$/, 'expected US dollars such as 5 or 0.25')
  .transform((text) => {
    const [whole = '0', fraction = ''] = text.split('.');
    return (BigInt(whole) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'))) as Money;
  });
