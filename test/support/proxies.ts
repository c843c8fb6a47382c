import { createServer as createHttpServer } from 'node:http';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

export interface TestProxy {
  readonly url: string;
  /** `host:port` of every target that was asked for. */
  readonly targets: readonly string[];
  close(): Promise<void>;
}

const listening = async (server: Server, scheme: string, targets: readonly string[], sockets: ReadonlySet<Socket>): Promise<TestProxy> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    targets,
    close: () =>
      new Promise((closed) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => closed());
      }),
  };
};

const join = (one: Socket, other: Socket): void => {
  one.pipe(other).pipe(one);
  one.on('error', () => other.destroy());
  other.on('error', () => one.destroy());
};

/** A proxy that speaks HTTP; `status` is what it answers to CONNECT. */
export const startHttpProxy = (status = 200): Promise<TestProxy> => {
  const targets: string[] = [];
  const sockets = new Set<Socket>();
  const server = createHttpServer();
  server.on('connect', (request, socket) => {
    const near = socket as Socket;
    targets.push(request.url ?? '');
    sockets.add(near);
    if (status !== 200) {
      near.end(`HTTP/1.1 ${status} No\r\n\r\n`);
      return;
    }
    const { hostname, port } = new URL(`http://${request.url ?? ''}`);
    const far = connect({ host: hostname, port: Number(port) }, () => {
      near.write('HTTP/1.1 200 Connection established\r\n\r\n');
      join(near, far);
    });
    sockets.add(far);
  });
  return listening(server, 'http', targets, sockets);
};

/** A SOCKS5 proxy for IPv4 addresses, without credentials. */
export const startSocksProxy = (): Promise<TestProxy> => {
  const targets: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    sockets.add(near);
    near.once('data', () => {
      near.write(Buffer.from([5, 0]));
      near.once('data', (asked) => {
        const host = [...asked.subarray(4, 8)].join('.');
        const port = asked.readUInt16BE(8);
        targets.push(`${asked[3] === 1 ? '' : 'name '}${host}:${port}`);
        const far = connect({ host, port }, () => {
          near.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]));
          join(near, far);
        });
        sockets.add(far);
      });
    });
  });
  return listening(server, 'socks5', targets, sockets);
};
