import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP relay to one server over which the network's ills come as they are asked for, and last until they are healed. */
export interface FaultProxy {
  readonly port: number;
  /** Every piece of data, either way, arrives so much later; order is kept. */
  slow(delayMs: number): void;
  /** Nothing comes through any more, either way, and nobody is told; new connections are taken and as silent. */
  swallow(): void;
  /** Connections are reset, and new ones refused. */
  refuse(): Promise<void>;
  /** As in the beginning. What was swallowed is lost, so its connections are reset. */
  heal(): Promise<void>;
  close(): Promise<void>;
}

export interface FaultProxyOptions {
  readonly host: string;
  /** Looked at for each connection, where it is not known yet. */
  readonly port: number | (() => number);
  /** Address to listen on; the loopback unless given. */
  readonly on?: string;
}

export const startFaultProxy = async ({ host, port: targetPort, on = '127.0.0.1' }: FaultProxyOptions): Promise<FaultProxy> => {
  const sockets = new Set<Socket>();
  let delayMs = 0;
  let swallowing = false;

  /** Hands on what comes, late where it has to be; nothing overtakes what came before it. */
  const handOn = (from: Socket, to: Socket): void => {
    const queue: { readonly due: number; readonly work: () => void }[] = [];
    // Looks at the first only: what is due sooner, as everything is once it is healed, still waits for what came before it.
    const handOver = (): void => {
      for (let first = queue[0]; first !== undefined; first = queue[0]) {
        const left = first.due - performance.now();
        if (left > 0) return void setTimeout(handOver, left);
        queue.shift();
        first.work();
      }
    };
    const later = (work: () => void): void => {
      if (delayMs === 0 && queue.length === 0) return work();
      queue.push({ due: performance.now() + delayMs, work });
      if (queue.length === 1) handOver();
    };
    from.on('data', (data) => {
      if (swallowing) return;
      later(() => !to.destroyed && to.write(data));
    });
    from.on('end', () => {
      if (!swallowing) later(() => to.end());
    });
    from.on('error', () => to.destroy());
    from.on('close', () => {
      sockets.delete(from);
      if (!swallowing) later(() => to.destroy());
    });
  };

  const server: Server = createServer({ allowHalfOpen: true }, (client) => {
    const target = connect({ host, port: typeof targetPort === 'number' ? targetPort : targetPort(), allowHalfOpen: true });
    for (const socket of [client, target]) {
      sockets.add(socket);
      socket.setNoDelay(true);
    }
    handOn(client, target);
    handOn(target, client);
  });
  const listen = async (port: number): Promise<void> => {
    server.listen(port, on);
    await once(server, 'listening');
  };
  const resetAll = (): void => {
    for (const socket of sockets) {
      // A socket that is sending its end cannot be reset: Node 20 would lose the handle and never come to an end itself.
      if (socket.writableEnded) socket.destroy();
      else socket.resetAndDestroy();
    }
  };
  const shut = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      resetAll();
    });
  await listen(0);
  const { port } = server.address() as { readonly port: number };

  return {
    port,
    slow: (ms) => {
      delayMs = ms;
    },
    swallow: () => {
      swallowing = true;
    },
    refuse: shut,
    heal: async () => {
      delayMs = 0;
      if (swallowing) {
        swallowing = false;
        resetAll();
      }
      if (!server.listening) await listen(port);
    },
    close: async () => {
      if (server.listening) await shut();
    },
  };
};
