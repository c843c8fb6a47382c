import type { z } from 'zod';
import { tokenStatus } from '../../../domain/token/token.ts';
import type { ConsoleReads } from '../../ports/console-reads.ts';
import { keySpends, NO_CAPS } from '../../../projections/account-balances/queries.ts';
import type { TokenDocument } from '../../../projections/token-lookup/tables.ts';
import { tokenById, tokens } from '../../../projections/token-lookup/queries.ts';
import type { KeyView } from '../../../schemas/http/keys.ts';
import { TokenId } from '../../../schemas/ids.ts';
import type { Money } from '../../../schemas/money.ts';
import { given, instantOf, userOf } from './asked.ts';
import { cursorsOf } from './cursor.ts';
import { readPage } from './page.ts';
import type { ReadsDeps } from './reads-deps.ts';

type View = z.output<typeof KeyView>;

const cursors = cursorsOf(TokenId);

const NOTHING = { today: 0n as Money, thisMonth: 0n as Money, total: 0n as Money };

export const keyReads = ({ sql, clock }: ReadsDeps): Pick<ConsoleReads, 'keys' | 'key'> => {
  const viewsOf = async (documents: readonly TokenDocument[], now: number): Promise<View[]> => {
    const spends = await keySpends(sql, 'all', documents, now);
    return documents.map((document) => {
      const { tokenId, userId, name, keyPrefix, statusReason, expiresAt, restrictions, createdAt, revision } = document;
      const spend = spends.find((each) => each.tokenId === tokenId);
      return {
        tokenId,
        userId,
        name,
        keyPrefix,
        status: tokenStatus(document, now),
        statusReason,
        expiresAt,
        restrictions,
        caps: spend?.caps ?? NO_CAPS,
        spent: spend?.spent ?? NOTHING,
        createdAt,
        lastUsedAt: spend?.lastUsedAt ?? null,
        revision,
      };
    });
  };

  return {
    keys: async ({ owner, ...asked }, page) => {
      const now = clock.now();
      const { rows, nextCursor } = await readPage(
        page,
        cursors,
        (before, limit) => tokens(sql, { userId: userOf(owner), ...given({ ...asked, before }), now: instantOf(now), limit }),
        ({ tokenId }) => tokenId,
      );
      return { rows: await viewsOf(rows, now), nextCursor };
    },

    key: async (tokenId) => {
      const document = await tokenById(sql, 'all', tokenId);
      return document === null ? null : ((await viewsOf([document], clock.now()))[0] ?? null);
    },
  };
};
