import { expect } from 'chai';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { startFaultProxy } from './fault-proxy.ts';

describe('the proxy that makes faults', () => {
  it('keeps the order of what it hands on, also when it is healed while something is on its way', async () => {
    // The proxy resets what is open when it is closed.
    const server = createServer((socket) => socket.on('error', () => undefined).pipe(socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const proxy = await startFaultProxy({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
    const client = connect(proxy.port, '127.0.0.1');
    client.setNoDelay(true);
    client.on('error', () => undefined);
    try {
      await once(client, 'connect');
      let came = '';
      let sent = '';
      let wake = (): void => undefined;
      client.setEncoding('utf8').on('data', (text: string) => {
        came += text;
        wake();
      });
      const until = async (length: number): Promise<void> => {
        while (came.length < length)
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      };
      const send = (text: string): void => {
        sent += text;
        client.write(text);
      };
      // The second piece has been taken by the proxy when the first is back: from then on it is slow with that.
      send('a');
      await until(1);
      proxy.slow(40);
      send('b');
      await until(2);
      for (let i = 0; i < 20; i++) {
        send(String.fromCharCode(99 + (i % 20)));
        await new Promise((resolve) => setImmediate(resolve));
      }
      await proxy.heal();
      for (let i = 0; i < 20; i++) {
        send(String.fromCharCode(65 + i));
        await new Promise((resolve) => setImmediate(resolve));
      }
      await until(sent.length);
      expect(came).to.equal(sent);
    } finally {
      client.destroy();
      await proxy.close();
      server.close();
      await once(server, 'close');
    }
  });
});
