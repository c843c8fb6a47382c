import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';

/**
 * Where in an exchange the connection dies: before any of the request reached the server, half-way through it, as soon as it is on its way
 * to the server, when the server has answered but nobody heard, half-way through the answer. `silence` leaves the connection open
 * and lets no answer through any more.
 */
export type CutPhase = 'before-request' | 'mid-request' | 'after-request' | 'before-answer' | 'mid-answer' | 'silence';

/** A TCP relay to one server that cuts one connection at a chosen point of its next request of a kind. */
export interface CuttingProxy {
  readonly port: number;
  /** Strikes once, at the next piece of data from a client for which `isRequest` holds. */
  arm(phase: CutPhase, isRequest: (data: Buffer) => boolean): void;
  /** Cuts every connection there is. */
  cutAll(): void;
  close(): Promise<void>;
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  onAnswer: ((data: Buffer) => void) | undefined;
}

export const startCuttingProxy = async (target: { readonly host: string; readonly port: number }): Promise<CuttingProxy> => {
  const pairs = new Set<Pair>();
  let armed: { readonly phase: CutPhase; readonly isRequest: (data: Buffer) => boolean } | undefined;

  const cut = ({ client, server }: Pair): void => {
    client.resetAndDestroy();
    server.resetAndDestroy();
  };

  const strike = (pair: Pair, phase: CutPhase, data: Buffer): void => {
    switch (phase) {
      case 'before-request':
        return cut(pair);
      case 'mid-request':
        pair.server.write(data.subarray(0, data.length >> 1), () => cut(pair));
        return;
      case 'after-request':
        // `end`, not a reset: a reset could overtake the request in the server's socket.
        pair.client.resetAndDestroy();
        pair.server.end(data);
        return;
      case 'before-answer':
        pair.onAnswer = () => cut(pair);
        break;
      case 'mid-answer':
        pair.onAnswer = (answer) => pair.client.write(answer.subarray(0, Math.max(1, answer.length >> 1)), () => cut(pair));
        break;
      case 'silence':
        pair.onAnswer = () => undefined;
        break;
    }
    pair.server.write(data);
  };

  const listener: Server = createServer((client) => {
    const server = connect(target);
    const pair: Pair = { client, server, onAnswer: undefined };
    pairs.add(pair);
    client.setNoDelay(true);
    server.setNoDelay(true);
    client.on('data', (data) => {
      if (armed?.isRequest(data) === true) {
        const { phase } = armed;
        armed = undefined;
        strike(pair, phase, data);
      } else if (!server.destroyed) {
        server.write(data);
      }
    });
    server.on('data', (data) => {
      if (pair.onAnswer !== undefined) pair.onAnswer(data);
      else if (!client.destroyed) client.write(data);
    });
    const gone = (): void => {
      pairs.delete(pair);
      client.destroy();
      server.destroySoon();
    };
    for (const socket of [client, server]) socket.on('error', gone).on('close', gone);
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address() as { readonly port: number };

  return {
    port,
    arm: (phase, isRequest) => {
      armed = { phase, isRequest };
    },
    cutAll: () => {
      for (const pair of pairs) cut(pair);
    },
    close: () =>
      new Promise((resolve) => {
        listener.close(() => resolve());
        for (const pair of pairs) cut(pair);
      }),
  };
};
