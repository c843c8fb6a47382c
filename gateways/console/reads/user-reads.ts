import type { z } from 'zod';
import { ZERO } from '../../../domain/ledger/money.ts';
import type { ConsoleReads } from '../../ports/console-reads.ts';
import { accountBalance, accountBalances, NO_CAPS, type AccountBalance } from '../../../projections/account-balances/queries.ts';
import { listUsers, userById } from '../../../projections/users/queries.ts';
import type { UserDocument } from '../../../projections/users/tables.ts';
import type { UserView } from '../../../schemas/http/users.ts';
import { UserId } from '../../../schemas/ids.ts';
import { given } from './asked.ts';
import { cursorsOf } from './cursor.ts';
import { neverBelowNothing } from './never-below-nothing.ts';
import { readPage } from './page.ts';
import type { ReadsDeps } from './reads-deps.ts';

const cursors = cursorsOf(UserId);

/** `account` is `null` between somebody's registration and the opening of the account. */
const viewOf = (user: Omit<UserDocument, 'passwordHash'>, account: AccountBalance | null): z.output<typeof UserView> => {
  const { userId, email, displayName, role, group, suspended, suspendedReason, createdAt, revision } = user;
  return {
    userId,
    email,
    displayName,
    role,
    group,
    status: suspended ? 'suspended' : 'active',
    suspendedReason,
    balance: account?.balance ?? ZERO,
    held: neverBelowNothing(account?.held ?? ZERO),
    spentTotal: account?.spent.total ?? ZERO,
    caps: account?.caps ?? NO_CAPS,
    createdAt,
    revision,
  };
};

export const userReads = ({ sql, clock }: ReadsDeps): Pick<ConsoleReads, 'users' | 'user' | 'profile'> => ({
  users: async (asked, page) => {
    const { rows, nextCursor } = await readPage(
      page,
      cursors,
      (before, limit) => listUsers(sql, { userId: 'all', ...given({ ...asked, before }), limit }),
      ({ userId }) => userId,
    );
    const userIds = rows.map(({ userId }) => userId);
    const accounts = await accountBalances(sql, userIds, clock.now());
    return { rows: rows.map((user) => viewOf(user, accounts.find(({ userId }) => userId === user.userId) ?? null)), nextCursor };
  },

  user: async (userId) => {
    const user = await userById(sql, userId);
    return user === null ? null : viewOf(user, await accountBalance(sql, userId, clock.now()));
  },

  profile: async (userId) => {
    const user = await userById(sql, userId);
    if (user === null) return null;
    const account = await accountBalance(sql, userId, clock.now());
    return {
      user: viewOf(user, account),
      timeZone: account?.timeZone ?? 'UTC',
      spentToday: account?.spent.today ?? ZERO,
      spentThisMonth: account?.spent.thisMonth ?? ZERO,
    };
  },
});
