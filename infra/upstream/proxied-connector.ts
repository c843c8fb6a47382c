import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { SocksClient } from 'socks';
import type { buildConnector } from 'undici';
import connectorOf from 'undici/lib/core/connect.js';
import { EgressRefused, type EgressGuard } from '../egress/guard.ts';

interface ProxiedOptions {
  readonly guard: Pick<EgressGuard, 'lookup' | 'allowsAddress'>;
  readonly connectMs: number;
}

const bare = (hostname: string): string => hostname.replace(/^\[|\]$/g, '');

/** An address of the host that may be called: the very one that is then called. */
const addressOf = (host: string, guard: ProxiedOptions['guard']): Promise<string> =>
  new Promise((resolve, reject) => {
    const plain = bare(host);
    if (isIP(plain) !== 0) {
      if (guard.allowsAddress(plain)) resolve(plain);
      else reject(new EgressRefused(`${plain} is off limits`));
      return;
    }
    guard.lookup(plain, {}, (error, address) => {
      if (error !== null) reject(error);
      else if (typeof address === 'string') resolve(address);
      else reject(new Error(`${plain} has no address`));
    });
  });

const timedOut = (): Error => Object.assign(new Error('the proxy did not answer in time'), { code: 'ETIMEDOUT' });

/** A tunnel through a proxy that speaks HTTP. */
const tunnelByHttp = (proxy: URL, proxyAddress: string, target: string, port: number, ms: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const secure = proxy.protocol === 'https:';
    const path = `${isIP(target) === 6 ? `[${target}]` : target}:${port}`;
    const asking = (secure ? httpsRequest : httpRequest)({
      method: 'CONNECT',
      host: proxyAddress,
      port: proxy.port === '' ? (secure ? 443 : 80) : Number(proxy.port),
      path,
      headers: { host: path },
      agent: false,
      timeout: ms,
      ...(secure && isIP(bare(proxy.hostname)) === 0 ? { servername: proxy.hostname } : {}),
    });
    asking.once('timeout', () => asking.destroy(timedOut()));
    asking.once('error', reject);
    asking.once('response', (response) => {
      response.resume();
      reject(new Error(`the proxy answered ${response.statusCode ?? 0}`));
    });
    asking.once('connect', (response, socket, head) => {
      socket.setTimeout(0);
      if (response.statusCode !== 200 || head.length > 0) {
        socket.destroy();
        reject(new Error(`the proxy answered ${response.statusCode ?? 0}`));
      } else resolve(socket);
    });
    asking.end();
  });

const tunnelBySocks = async (proxy: URL, proxyAddress: string, target: string, port: number, ms: number): Promise<Socket> => {
  const existing = connectTcp({ host: proxyAddress, port: proxy.port === '' ? 1_080 : Number(proxy.port) });
  try {
    await new Promise<void>((resolve, reject) => {
      existing.setTimeout(ms, () => existing.destroy(timedOut()));
      existing.once('error', reject);
      existing.once('connect', () => {
        existing.off('error', reject);
        existing.setTimeout(0);
        resolve();
      });
    });
    const { socket } = await SocksClient.createConnection({
      command: 'connect',
      proxy: { host: proxyAddress, port: 1, type: 5 },
      destination: { host: target, port },
      existing_socket: existing,
      timeout: ms,
    });
    return socket;
  } catch (error) {
    existing.destroy();
    throw error;
  }
};

/**
 * Connects through a proxy (`http:`, `https:` for CONNECT, `socks5:`). Both the proxy's address and the target's are found and judged
 * here, and the proxy is asked for the target's address, not its name: what was judged is what is connected to.
 */
export const proxiedConnector = (proxyUrl: string, { guard, connectMs }: ProxiedOptions): buildConnector.connector => {
  const proxy = new URL(proxyUrl);
  const tunnel = proxy.protocol === 'socks5:' ? tunnelBySocks : tunnelByHttp;
  const secure = connectorOf({ timeout: connectMs });
  const connect = async (options: buildConnector.Options): Promise<Socket> => {
    const port = options.port === '' ? (options.protocol === 'https:' ? 443 : 80) : Number(options.port);
    const [proxyAddress, target] = await Promise.all([addressOf(proxy.hostname, guard), addressOf(options.hostname, guard)]);
    return tunnel(proxy, proxyAddress, target, port, connectMs);
  };
  return (options, callback) => {
    connect(options).then(
      (socket) => {
        if (options.protocol === 'https:') secure({ ...options, httpSocket: socket }, callback);
        else callback(null, socket);
      },
      (error: unknown) => callback(error instanceof Error ? error : new Error(String(error)), null),
    );
  };
};
