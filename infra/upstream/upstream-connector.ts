import { isIP } from 'node:net';
import type { buildConnector } from 'undici';
import connectorOf from 'undici/lib/core/connect.js';
import type { UpstreamRequest } from '../../gateways/ports/upstream.ts';
import { EgressRefused, type EgressGuard } from '../egress/guard.ts';
import { proxiedConnector } from './proxied-connector.ts';

type Guard = Pick<EgressGuard, 'lookup' | 'allowsAddress'>;

type Target = Pick<UpstreamRequest, 'origin' | 'trusted' | 'proxy'>;

/**
 * Connects to upstreams by the rules of egress: what was judged is what is connected to, through a proxy too. Hosts that are
 * addresses are judged here, for sockets do not look those up.
 */
export const upstreamConnector = (guard: Guard, connectMs: number): ((target: Target, callback: buildConnector.Callback) => void) => {
  const trusted = connectorOf({ timeout: connectMs });
  const guarded = connectorOf({ timeout: connectMs, lookup: guard.lookup });
  const proxied = new Map<string, buildConnector.connector>();

  const throughProxy = (proxy: string): buildConnector.connector => {
    let connector = proxied.get(proxy);
    if (connector === undefined) proxied.set(proxy, (connector = proxiedConnector(proxy, { guard, connectMs })));
    return connector;
  };

  return ({ origin, trusted: isOurs, proxy }, callback) => {
    const { hostname, host, protocol, port } = new URL(origin);
    const bare = hostname.replace(/^\[|\]$/g, '');
    if (!isOurs && proxy === undefined && isIP(bare) !== 0 && !guard.allowsAddress(bare))
      return callback(new EgressRefused(`${bare} is in a private or reserved range`), null);
    const connector = isOurs ? trusted : proxy === undefined ? guarded : throughProxy(proxy);
    connector({ hostname, host, protocol, port, ...(isIP(bare) === 0 ? { servername: bare } : {}) }, callback);
  };
};
