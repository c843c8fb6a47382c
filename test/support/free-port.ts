import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';

/** Below the range kernels hand out to outgoing connections, or a client's own socket could take the port between a stop and a start. */
const PORTS = { first: 18_000, count: 14_000 };

/** Whether nobody listens on a port of the loopback. */
export const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });

/** A port of the loopback on which nobody listens, and that stays free while its server is stopped. */
export const freePort = async (): Promise<number> => {
  for (;;) {
    const port = PORTS.first + (randomBytes(2).readUInt16BE() % PORTS.count);
    if (await isFree(port)) return port;
  }
};
