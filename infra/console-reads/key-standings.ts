import { larger, smaller, subtract, ZERO } from '../../domain/ledger/money.ts';
import type { KeyStandings } from '../../gateways/ports/key-standing.ts';
import { accountBalance, keySpends } from '../../projections/account-balances/queries.ts';
import { ReadModelsUnavailable } from '../../projections/engine/read-models-unavailable.ts';
import type { Clock } from '../../projections/ports/clock.ts';
import type { Sql } from '../../projections/ports/read-model-database.ts';
import { tokenById } from '../../projections/token-lookup/queries.ts';
import { refuse } from '../../schemas/errors.ts';

export interface KeyStandingsDeps {
  readonly database: Sql;
  readonly clock: Clock;
}

/**
 * What keys may still spend, from the read models. A key that they do not know of yet, and every key while they cannot be asked, is
 * refused with `read_model_behind`.
 */
export const createKeyStandings = ({ database, clock }: KeyStandingsDeps): KeyStandings => ({
  of: async (userId, tokenId) => {
    try {
      const now = clock.now();
      const key = await tokenById(database, userId, tokenId);
      const account = await accountBalance(database, userId, now);
      const [spend] = key === null ? [] : await keySpends(database, userId, [key], now);
      if (account === null || spend === undefined) return refuse('read_model_behind', undefined, { retryAfterSeconds: 1 });
      const { balance } = account;
      const spent = spend.spent.total;
      const cap = spend.caps.total;
      return { spent, cap, balance, left: cap === null ? balance : smaller(balance, larger(subtract(cap, spent), ZERO)) };
    } catch (error) {
      if (!(error instanceof ReadModelsUnavailable)) throw error;
      return refuse('read_model_behind', 'The read models cannot be asked at the moment; try again.', { retryAfterSeconds: 1 });
    }
  },
});
