import { z } from 'zod';
import type { KeyStanding, KeyStandings } from '../../gateways/ports/key-standing.ts';
import { isRefusal, type Refusal } from '../../schemas/errors.ts';
import { MoneyText } from '../../schemas/money.ts';
import type { RedisLink } from './redis-link.ts';

/** A client that asks what it has left after each of its calls sees it this much later. */
const KEPT_MS = 2_000;

const Kept = z.object({ spent: MoneyText, cap: MoneyText.nullable(), balance: MoneyText, left: MoneyText });

const parsed = (text: string): KeyStanding | undefined => {
  try {
    return Kept.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
};

/** What keys have left, for whoever asks often: kept in Redis for two seconds, and worked out once for all who ask here meanwhile. Nothing is admitted by it. */
export const sharedStandings = (standings: KeyStandings, link: RedisLink): KeyStandings => {
  const running = new Map<string, Promise<KeyStanding | Refusal>>();

  const ask = async (name: string, ...whose: Parameters<KeyStandings['of']>): Promise<KeyStanding | Refusal> => {
    const kept = await link.send('standings', name, ['GET', name]);
    const known = typeof kept === 'string' ? parsed(kept) : undefined;
    if (known !== undefined) return known;
    const standing = await standings.of(...whose);
    // Spread, so that those kept together do not end together.
    const keptMs = Math.round(KEPT_MS * (1 - Math.random() / 5));
    if (!isRefusal(standing))
      void link.send('standings', name, ['SET', name, JSON.stringify(z.encode(Kept, standing)), 'PX', String(keptMs)]);
    return standing;
  };
  return {
    of: (userId, tokenId) => {
      const name = `${link.prefix}standing:${tokenId}`;
      let answer = running.get(name);
      if (answer === undefined) {
        answer = ask(name, userId, tokenId).finally(() => running.delete(name));
        running.set(name, answer);
      }
      return answer;
    },
  };
};
