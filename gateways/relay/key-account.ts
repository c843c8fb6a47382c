import { ZERO, toDollarText } from '../../domain/ledger/money.ts';
import { isRefusal, type Refusal } from '../../schemas/errors.ts';
import type { Money } from '../../schemas/money.ts';
import type { KeyStanding, KeyStandings } from '../ports/key-standing.ts';
import type { Caller } from './call.ts';

/**
 * An amount as a number of dollars, for answers whose clients do arithmetic in floats and know nothing else. Rounded
 * down to what a double holds; exact amounts are the decimal strings beside it.
 */
const dollarNumber = (amount: Money): number => Number(amount) / 1e9;

const notNegative = (amount: Money): Money => (amount < 0n ? ZERO : amount);

/** `GET /v1/key`: what the key may do, what it has spent and has left, in dollars as decimal strings. */
export const keyAnswer = async (standings: KeyStandings, { token, user }: Caller): Promise<object | Refusal> => {
  const standing = await standings.of(user.userId, token.tokenId);
  if (isRefusal(standing)) return standing;
  const { spent, cap, left } = standing;
  return {
    object: 'key',
    id: token.tokenId,
    name: token.name,
    group: user.group,
    expires_at: token.expiresAt === null ? null : new Date(token.expiresAt).toISOString(),
    exhausted: token.exhausted,
    models: token.restrictions.models,
    endpoints: token.restrictions.endpoints,
    addresses: token.restrictions.addresses,
    spent: toDollarText(spent),
    cap: cap === null ? null : toDollarText(cap),
    left: toDollarText(notNegative(left)),
  };
};

/**
 * `GET /v1/dashboard/billing/subscription`: clients take `hard_limit_usd` for all there ever was and subtract the usage from
 * it, so it is what was spent and what is left together.
 */
export const subscriptionAnswer = ({ spent, left }: KeyStanding, { token }: Caller): object => {
  const limit = dollarNumber((spent + notNegative(left)) as Money);
  return {
    object: 'billing_subscription',
    has_payment_method: true,
    canceled: false,
    soft_limit_usd: limit,
    hard_limit_usd: limit,
    system_hard_limit_usd: limit,
    /** Seconds since the epoch; 0 never ends. */
    access_until: token.expiresAt === null ? 0 : Math.floor(token.expiresAt / 1_000),
  };
};

/**
 * `GET /v1/dashboard/billing/usage`: hundredths of a dollar. Of all time, whatever dates were asked for: clients subtract it from
 * a limit that is of all time too.
 */
export const usageAnswer = ({ spent }: KeyStanding): object => ({ object: 'list', total_usage: Number(spent) / 1e7 });
