import { once } from 'node:events';
import { Agent, createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { expect } from 'chai';
import fc from 'fast-check';
import { ChunkedBody } from '../../../gateways/relay/chunked-body.ts';

describe('a body that is sent in pieces', () => {
  let server: Server;
  let answer: (res: ServerResponse) => void;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });

  before(async () => {
    server = createServer((_req, res) => answer(res));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  after(() => {
    agent.destroy();
    server.close();
  });

  const port = (): number => (server.address() as AddressInfo).port;

  /** What a client of HTTP/1.1 reads, over one connection for all. */
  const read = async (): Promise<{ readonly body: Buffer; readonly encoding: string | undefined; readonly reused: boolean }> => {
    const asked = request({ port: port(), host: '127.0.0.1', agent }).end();
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    const pieces: Buffer[] = [];
    for await (const piece of response) pieces.push(piece as Buffer);
    return { body: Buffer.concat(pieces), encoding: response.headers['transfer-encoding'], reused: asked.reusedSocket };
  };

  const sending = (pieces: readonly (Uint8Array | string)[], last: Uint8Array): void => {
    answer = (res) => {
      res.writeHead(200, ['content-type', 'text/event-stream']);
      const body = new ChunkedBody(res);
      for (const piece of pieces) body.write(typeof piece === 'string' ? piece : Buffer.from(piece));
      body.end(Buffer.from(last));
    };
  };

  it('comes to a client of HTTP/1.1 as it was sent, and leaves the connection fit for the next', async () => {
    let seen = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.string({ unit: 'binary', maxLength: 300 })), { maxLength: 6 }),
        fc.uint8Array({ maxLength: 300 }),
        async (pieces, last) => {
          sending(pieces, last);
          const { body, encoding, reused } = await read();
          expect(body).to.deep.equal(Buffer.concat([...pieces.map((piece) => Buffer.from(piece as string)), last]));
          expect(encoding).to.equal('chunked');
          expect(reused).to.equal(seen++ > 0);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('comes to a client of HTTP/1.0 without chunks, and ends with its connection', async () => {
    sending([Buffer.from('data: 1\n\n')], Buffer.from('data: 2\n\n'));
    const socket = connect(port(), '127.0.0.1');
    socket.write('GET / HTTP/1.0\r\n\r\n');
    const pieces: Buffer[] = [];
    for await (const piece of socket) pieces.push(piece as Buffer);
    const text = Buffer.concat(pieces).toString();
    expect(text.slice(text.indexOf('\r\n\r\n') + 4)).to.equal('data: 1\n\ndata: 2\n\n');
    expect(text.toLowerCase()).not.to.include('transfer-encoding');
  });
});
