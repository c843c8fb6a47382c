import type { z } from 'zod';
import { accountBalances, keySpends, type AccountBalance, type KeySpend } from '../../../projections/account-balances/queries.ts';
import { tokenById, tokens } from '../../../projections/token-lookup/queries.ts';
import type { TokenDocument } from '../../../projections/token-lookup/tables.ts';
import { listUsers, userById } from '../../../projections/users/queries.ts';
import type { UserDocument } from '../../../projections/users/tables.ts';
import { tokenStatus } from '../../../domain/token/token.ts';
import type { KeyView } from '../../../schemas/http/keys.ts';
import type { UserView } from '../../../schemas/http/users.ts';
import { TokenId, UserId } from '../../../schemas/ids.ts';
import type { Money } from '../../../schemas/money.ts';
import type { ConsoleReads } from '../../ports/console-reads.ts';
import { instant, pageOfRows, userIdOf, type ReadsDeps } from './reads-deps.ts';

const NOTHING = 0n as Money;

const keyViewOf = (token: TokenDocument, spend: KeySpend | undefined, now: number): z.output<typeof KeyView> => {
  const { tokenId, userId, name, keyPrefix, statusReason, expiresAt, restrictions, createdAt, revision } = token;
  return {
    tokenId,
    userId,
    name,
    keyPrefix,
    status: tokenStatus(token, now),
    statusReason,
    expiresAt,
    restrictions,
    caps: spend?.caps ?? { day: null, month: null, total: null },
    spent: spend?.spent ?? { today: NOTHING, thisMonth: NOTHING, total: NOTHING },
    createdAt,
    lastUsedAt: spend?.lastUsedAt ?? null,
    revision,
  };
};

const userViewOf = (user: Omit<UserDocument, 'passwordHash'>, account: AccountBalance | undefined): z.output<typeof UserView> => {
  const { userId, email, displayName, role, group, suspended, suspendedReason, createdAt, revision } = user;
  return {
    userId,
    email,
    displayName,
    role,
    group,
    status: suspended ? 'suspended' : 'active',
    suspendedReason,
    balance: account?.balance ?? NOTHING,
    held: account?.held ?? NOTHING,
    spentTotal: account?.spent.total ?? NOTHING,
    caps: account?.caps ?? { day: null, month: null, total: null },
    createdAt,
    revision,
  };
};

type PeopleReads = Pick<ConsoleReads, 'keys' | 'key' | 'users' | 'user' | 'profile'>;

export const peopleReads = ({ sql, clock }: ReadsDeps): PeopleReads => {
  const keyViews = async (documents: readonly TokenDocument[]): Promise<z.output<typeof KeyView>[]> => {
    const now = clock.now();
    const spends = new Map((await keySpends(sql, 'all', documents, now)).map((spend) => [spend.tokenId, spend]));
    return documents.map((token) => keyViewOf(token, spends.get(token.tokenId), now));
  };

  const oneUser = async (
    userId: UserId,
  ): Promise<{ readonly view: z.output<typeof UserView>; readonly account: AccountBalance | undefined } | null> => {
    const user = await userById(sql, userId);
    if (user === null) return null;
    const [account] = await accountBalances(sql, [userId], clock.now());
    return { view: userViewOf(user, account), account };
  };

  return {
    keys: async ({ owner, status, search }, page) => {
      const before = TokenId.safeParse(page.cursor);
      const found = await tokens(sql, {
        userId: userIdOf(owner),
        now: instant(clock.now()),
        limit: page.limit + 1,
        ...(status === undefined ? {} : { status }),
        ...(search === undefined ? {} : { search }),
        ...(before.success ? { before: before.data } : {}),
      });
      const { rows, nextCursor } = pageOfRows(found, page, ({ tokenId }) => tokenId);
      return { rows: await keyViews(rows), nextCursor };
    },

    key: async (tokenId) => {
      const token = await tokenById(sql, 'all', tokenId);
      return token === null ? null : ((await keyViews([token]))[0] ?? null);
    },

    users: async ({ search, role, status }, page) => {
      const before = UserId.safeParse(page.cursor);
      const found = await listUsers(sql, {
        userId: 'all',
        limit: page.limit + 1,
        ...(search === undefined ? {} : { search }),
        ...(role === undefined ? {} : { role }),
        ...(status === undefined ? {} : { status }),
        ...(before.success ? { before: before.data } : {}),
      });
      const { rows, nextCursor } = pageOfRows(found, page, ({ userId }) => userId);
      const accounts = new Map(
        (
          await accountBalances(
            sql,
            rows.map(({ userId }) => userId),
            clock.now(),
          )
        ).map((account) => [account.userId, account]),
      );
      return { rows: rows.map((user) => userViewOf(user, accounts.get(user.userId))), nextCursor };
    },

    user: async (userId) => (await oneUser(userId))?.view ?? null,

    profile: async (userId) => {
      const found = await oneUser(userId);
      if (found === null) return null;
      const { view: user, account } = found;
      return {
        user,
        timeZone: account?.timeZone ?? 'UTC',
        spentToday: account?.spent.today ?? NOTHING,
        spentThisMonth: account?.spent.thisMonth ?? NOTHING,
      };
    },
  };
};
