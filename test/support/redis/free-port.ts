import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';

/** Below the range kernels hand out to outgoing connections, or a client's own socket could take the port between a stop and a start. */
const PORTS = { first: 18_000, count: 14_000 };

export const freePort = async (): Promise<number> => {
  for (;;) {
    const port = PORTS.first + (randomBytes(2).readUInt16BE() % PORTS.count);
    const free = await new Promise<boolean>((resolve) => {
      const probe = createServer();
      probe.once('error', () => resolve(false));
      probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
    });
    if (free) return port;
  }
};
