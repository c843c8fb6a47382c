import { connect, createServer, type Socket } from 'node:net';

/** A TCP relay to one server that is late with every answer. */
export interface DelayingProxy {
  readonly port: number;
  /** Milliseconds, for answers from now on. */
  delayMs: number;
  close(): Promise<void>;
}

export const startDelayingProxy = async (target: { readonly host: string; readonly port: number }): Promise<DelayingProxy> => {
  const sockets = new Set<Socket>();
  const listener = createServer((client) => {
    const server = connect(target);
    client.setNoDelay(true);
    server.setNoDelay(true);
    client.on('data', (data) => server.write(data));
    // Timers of one length fire in the order in which they were set, so answers keep theirs.
    server.on('data', (data) => setTimeout(() => client.destroyed || client.write(data), proxy.delayMs).unref());
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address() as { readonly port: number };
  const proxy: DelayingProxy = {
    port,
    delayMs: 0,
    close: () =>
      new Promise((resolve) => {
        listener.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
  return proxy;
};
