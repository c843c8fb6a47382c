import { connect, type AddressInfo, type Socket } from 'node:net';
import { createServer } from 'node:tls';
import { makeCertificate } from './certificate.ts';

export interface TlsFront {
  readonly port: number;
  close(): void;
}

/** Speaks TLS, with a certificate that nobody knows, before a server on the loopback that does not: for clients that speak nothing else. */
export const startTlsFront = async (targetPort: number): Promise<TlsFront> => {
  const { key, certificate, remove } = makeCertificate();
  const sockets = new Set<Socket>();
  const server = createServer({ key, cert: certificate }, (socket) => {
    const target = connect(targetPort, '127.0.0.1');
    for (const each of [socket, target]) {
      sockets.add(each);
      each.on('error', () => undefined);
      each.on('close', () => {
        socket.destroy();
        target.destroy();
      });
    }
    socket.pipe(target);
    target.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      remove();
    },
  };
};
