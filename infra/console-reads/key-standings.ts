import type { KeyStandings } from '../../gateways/ports/key-standing.ts';
import { larger, smaller, subtract, ZERO } from '../../domain/ledger/money.ts';
import { accountBalance, keySpends } from '../../projections/account-balances/queries.ts';
import type { Clock } from '../../projections/ports/clock.ts';
import type { Sql } from '../../projections/ports/read-model-database.ts';
import { refuse } from '../../schemas/errors.ts';

export interface KeyStandingsDeps {
  readonly database: Sql;
  readonly clock: Clock;
}

/** What a key may still spend, from the account's read model. */
export const createKeyStandings = ({ database, clock }: KeyStandingsDeps): KeyStandings => ({
  of: async (userId, tokenId) => {
    const now = clock.now();
    const account = await accountBalance(database, userId, now);
    const [key] = await keySpends(database, userId, [{ tokenId, userId }], now);
    if (account === null || key === undefined) return refuse('read_model_behind', undefined, { retryAfterSeconds: 1 });
    const cap = key.caps.total;
    const underCap = cap === null ? account.balance : larger(ZERO, subtract(cap, key.spent.total));
    return { spent: key.spent.total, cap, balance: account.balance, left: smaller(account.balance, underCap) };
  },
});
