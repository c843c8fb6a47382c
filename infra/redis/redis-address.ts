/** How one server of Redis is spoken to. */
interface RedisAccess {
  readonly tls: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
}

export interface RedisHost {
  readonly host: string;
  readonly port: number;
}

/** Where Redis is: one server, the master that sentinels name, or a cluster that any of its nodes describes. */
export type RedisAddress =
  | (RedisAccess & { readonly kind: 'single'; readonly at: RedisHost; readonly database: number })
  | (RedisAccess & {
      readonly kind: 'sentinel';
      readonly sentinels: readonly RedisHost[];
      readonly master: string;
      readonly database: number;
      /** The sentinels' own, which need not be the servers'. */
      readonly sentinelPassword: string | undefined;
    })
  | (RedisAccess & { readonly kind: 'cluster'; readonly nodes: readonly RedisHost[] });

const SHAPE =
  /^redis(?<tls>s)?(?:\+(?<kind>sentinel|cluster))?:\/\/(?:(?<user>[^:@/?\s]*)(?::(?<password>[^@/?\s]*))?@)?(?<hosts>[^@/?\s]+)(?:\/(?<path>[^?\s]*))?(?:\?(?<query>\S*))?$/;

const HOST = /^(?:\[(?<six>[0-9a-fA-F:.]+)\]|(?<name>[^:[\]]+))(?::(?<port>\d{1,5}))?$/;

const hostsOf = (text: string, defaultPort: number): readonly RedisHost[] | null => {
  const hosts = text.split(',').map((part) => {
    const found = HOST.exec(part)?.groups;
    const host = found?.['six'] ?? found?.['name'];
    const port = Number(found?.['port'] ?? defaultPort);
    return host === undefined || port < 1 || port > 65_535 ? null : { host, port };
  });
  return hosts.every((host) => host !== null) ? hosts : null;
};

const databaseOf = (text: string | null | undefined): number | null => {
  if (text === undefined || text === null || text === '') return 0;
  return /^\d{1,4}$/.test(text) ? Number(text) : null;
};

const decoded = (text: string | undefined): string | undefined =>
  text === undefined || text === '' ? undefined : decodeURIComponent(text);

/**
 * `redis://[user:password@]host[:port][/database]`, `redis+sentinel://[user:password@]host[:port],…/master[?database=0&sentinelPassword=…]`,
 * `redis+cluster://[user:password@]host[:port],…`; each with `rediss` for TLS. `null` for anything else.
 */
export const parseRedisAddress = (url: string): RedisAddress | null => {
  const parts = SHAPE.exec(url)?.groups;
  if (parts === undefined) return null;
  const { tls, kind, user, password, hosts: hostText = '', path = '', query = '' } = parts;
  try {
    const access: RedisAccess = { tls: tls !== undefined, username: decoded(user), password: decoded(password) };
    const hosts = hostsOf(hostText, kind === 'sentinel' ? 26_379 : 6_379);
    const parameters = new URLSearchParams(query);
    if (hosts === null || [...parameters.keys()].some((name) => kind !== 'sentinel' || !['database', 'sentinelPassword'].includes(name)))
      return null;
    if (kind === 'cluster') return path === '' ? { kind, ...access, nodes: hosts } : null;
    const database = databaseOf(kind === 'sentinel' ? parameters.get('database') : path);
    if (database === null) return null;
    if (kind === 'sentinel') {
      const sentinelPassword = parameters.get('sentinelPassword') ?? undefined;
      return path === '' ? null : { kind, ...access, sentinels: hosts, master: decodeURIComponent(path), database, sentinelPassword };
    }
    const [at] = hosts;
    return at === undefined || hosts.length > 1 ? null : { kind: 'single', ...access, at, database };
  } catch (error) {
    // An escape that is none.
    if (error instanceof URIError) return null;
    throw error;
  }
};
