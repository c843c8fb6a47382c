import { larger, ZERO } from '../../../domain/ledger/money.ts';
import type { Money } from '../../../schemas/money.ts';

/** What is held falls below nothing only while the event that set it aside is parked, and the one that used it is not. */
export const neverBelowNothing = (amount: Money): Money => larger(amount, ZERO);
