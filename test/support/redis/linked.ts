import { parseRedisAddress } from '../../../infra/redis/redis-address.ts';
import { RedisLink, type CommandOutcome } from '../../../infra/redis/redis-link.ts';
import type { TestRedis } from './redis-servers.ts';

/** A link of a test, with all that was said of it. */
export interface Linked {
  readonly link: RedisLink;
  readonly outcomes: CommandOutcome[];
  readonly reachable: number[];
  /** Resolves once so much of the keys can be reached; at once when it can already. */
  whenReachable(share: number): Promise<void>;
}

/** Waits until the server is reached, unless it is `away`. Patient by default: a loaded machine is slow, and only tests of slowness want to see that. */
export const linkTo = async (
  { url, prefix }: TestRedis,
  {
    commandMs = 2_000,
    away = false,
    authorities,
  }: { readonly commandMs?: number; readonly away?: boolean; readonly authorities?: Buffer } = {},
): Promise<Linked> => {
  const address = parseRedisAddress(url);
  if (address === null) throw new Error(`not an address of Redis: ${url}`);
  const outcomes: CommandOutcome[] = [];
  const reachable: number[] = [];
  let waiting: { readonly share: number; readonly resolve: () => void }[] = [];
  const link = await RedisLink.open({
    address,
    ...(authorities === undefined ? {} : { authorities }),
    prefix,
    commandMs,
    name: 'test',
    observer: {
      command: (_use, outcome) => outcomes.push(outcome),
      reachable: (share) => {
        reachable.push(share);
        for (const each of waiting.filter((one) => one.share === share)) each.resolve();
        waiting = waiting.filter((one) => one.share !== share);
      },
    },
  });
  const whenReachable = (share: number): Promise<void> =>
    reachable.at(-1) === share ? Promise.resolve() : new Promise((resolve) => waiting.push({ share, resolve }));
  if (!away) await whenReachable(1);
  return { link, outcomes, reachable, whenReachable };
};
