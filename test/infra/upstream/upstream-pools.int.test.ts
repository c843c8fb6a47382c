import { createServer, type Server, type ServerResponse } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { expect } from 'chai';
import type {
  UpstreamExchange,
  UpstreamFault,
  UpstreamHeaders,
  UpstreamListener,
  UpstreamRequest,
} from '../../../gateways/ports/upstream.ts';
import { createEgressGuard, type Resolve } from '../../../infra/egress/guard.ts';
import { parseEgressPolicy } from '../../../infra/egress/policy.ts';
import { createUpstreamPools, type UpstreamPools } from '../../../infra/upstream/upstream-pools.ts';

interface Heard {
  status: number;
  headers: UpstreamHeaders;
  body: string;
  fault: UpstreamFault | null;
}

describe('upstream connections', () => {
  let server: Server;
  let origin: string;
  let pools: UpstreamPools;
  let answer: (res: ServerResponse) => void;
  let requests: number;

  const poolsFor = (policy: string, resolve?: Resolve): UpstreamPools => {
    const parsed = parseEgressPolicy(policy);
    return createUpstreamPools({ guard: createEgressGuard(parsed ?? expect.fail('not a policy'), resolve) });
  };

  before(async () => {
    server = createServer((req, res) => {
      requests++;
      req.resume();
      req.on('end', () => answer(res));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  beforeEach(() => {
    requests = 0;
    answer = (res) => res.end('fine');
    pools = poolsFor('loopback');
  });
  afterEach(() => pools.close());

  const request = (changes: Partial<UpstreamRequest> = {}): UpstreamRequest => ({
    origin,
    path: '/x',
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: Buffer.from('{}'),
    trusted: false,
    ...changes,
  });
  const send = (changes: Partial<UpstreamRequest> = {}, listen: Partial<UpstreamListener> = {}): Promise<Heard> =>
    new Promise((resolve) => {
      const heard: Heard = { status: 0, headers: {}, body: '', fault: null };
      pools.send(request(changes), {
        headers: (status, headers) => Object.assign(heard, { status, headers }),
        data: (chunk) => {
          heard.body += chunk.toString();
          return true;
        },
        end: () => resolve(heard),
        failed: (fault) => resolve({ ...heard, fault }),
        ...listen,
      });
    });
  const running = (): number => pools.stats().reduce((sum, each) => sum + each.running, 0);

  it('carry an answer', async () => {
    answer = (res) => res.writeHead(418, { 'content-type': 'text/x', 'retry-after': '3', 'x-other': 'no' }).end('tea');
    expect(await send()).to.deep.equal({
      status: 418,
      headers: { 'content-type': 'text/x', 'retry-after': '3' },
      body: 'tea',
      fault: null,
    });
    expect(running()).to.equal(0);
  });

  it('undo a content-encoding, and refuse one they do not know', async () => {
    for (const [encoding, encode] of [
      ['gzip', gzipSync],
      ['deflate', deflateSync],
      ['br', brotliCompressSync],
    ] as const) {
      answer = (res) => res.writeHead(200, { 'content-encoding': encoding }).end(encode(Buffer.from('compressed '.repeat(10_000))));
      expect((await send()).body, encoding).to.equal('compressed '.repeat(10_000));
    }
    answer = (res) => res.writeHead(200, { 'content-encoding': 'zstd' }).end('?');
    expect((await send()).fault?.kind).to.equal('broken');
    answer = (res) => res.writeHead(200, { 'content-encoding': 'gzip' }).end('this is not gzip');
    expect((await send()).fault?.kind).to.equal('broken');
    expect(running()).to.equal(0);
  });

  it('pause for a reader who wants it, through a decoder too', async () => {
    for (const compressed of [false, true]) {
      const whole = Buffer.alloc(3_000_000, 'abc');
      answer = (res) => (compressed ? res.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(whole)) : res.end(whole));
      let bytes = 0;
      let paused = false;
      await new Promise<void>((resolve, reject) => {
        const exchange = pools.send(request(), {
          headers: () => undefined,
          data: (chunk) => {
            if (paused) reject(new Error('told while paused'));
            bytes += chunk.length;
            paused = true;
            setImmediate(() => {
              paused = false;
              exchange.resume();
            });
            return false;
          },
          end: () => resolve(),
          failed: (fault) => reject(new Error(fault.message)),
        });
      });
      expect(bytes).to.equal(whole.length);
    }
  });

  it('say whether nobody was there or somebody broke off', async () => {
    expect((await send({ origin: 'http://127.0.0.1:1' })).fault?.kind).to.equal('unreachable');
    answer = (res) => res.socket?.destroy();
    expect((await send()).fault?.kind).to.equal('broken');
    answer = (res) => {
      res.writeHead(200, { 'content-length': '100' });
      res.write('half');
      setImmediate(() => res.socket?.destroy());
    };
    const heard = await send();
    expect([heard.body, heard.fault?.kind]).to.deep.equal(['half', 'broken']);
  });

  it('are freed by an abort at any time, and then tell nothing more', async () => {
    const told: string[] = [];
    const listener: UpstreamListener = {
      headers: () => told.push('headers'),
      data: () => told.push('data') > 0,
      end: () => told.push('end'),
      failed: () => told.push('failed'),
    };
    pools.send(request(), listener).abort();
    answer = () => undefined;
    const arrived = new Promise<void>((resolve) => {
      answer = () => resolve();
    });
    const waiting = pools.send(request(), listener);
    await arrived;
    waiting.abort();
    waiting.abort();
    waiting.resume();
    answer = (res) => res.end('fine');
    expect((await send()).body).to.equal('fine');
    expect(told).to.deep.equal([]);
    expect(running()).to.equal(0);
  });

  it('are not made to addresses that are off limits, however they are written', async () => {
    await pools.close();
    pools = poolsFor('none', (_host, callback) => callback(null, [{ address: '127.0.0.1', family: 4 }]));
    const { port } = server.address() as AddressInfo;
    for (const host of ['127.0.0.1', 'localhost', 'inside.example', '[::1]', '[::ffff:127.0.0.1]', '0.0.0.0', '2130706433', '0x7f.1']) {
      expect((await send({ origin: new URL(`http://${host}:${port}`).origin })).fault?.kind, host).to.equal('blocked');
    }
    expect(requests).to.equal(0);
    // The sandbox of this process is no address that somebody typed in.
    expect((await send({ trusted: true })).body).to.equal('fine');
  });

  it('hold nothing of a request whose answer streams, and send it as ever', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    for (const bytes of [100, 100_000]) {
      let arrived: { body: string; length: string | undefined } | null = null;
      const streaming = createServer((req, res) => {
        let body = '';
        req.setEncoding('utf8').on('data', (text: string) => (body += text));
        req.on('end', () => {
          arrived = { body, length: req.headers['content-length'] };
          res.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
        });
      });
      await new Promise<void>((resolve) => streaming.listen(0, '127.0.0.1', resolve));
      let held: WeakRef<Buffer> | undefined;
      const ended = new Promise<void>((resolve) => streaming.once('close', () => resolve()));
      const exchange = await new Promise<UpstreamExchange>((resolve, reject) => {
        // Out of a pool, as small ones are.
        const body = Buffer.from('x'.repeat(bytes));
        held = new WeakRef(body);
        const sent: UpstreamExchange = pools.send(
          request({
            origin: `http://127.0.0.1:${(streaming.address() as AddressInfo).port}`,
            headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
            body,
          }),
          {
            headers: () => undefined,
            data: () => {
              resolve(sent);
              return true;
            },
            end: () => reject(new Error('it ended')),
            failed: ({ message }) => reject(new Error(message)),
          },
        );
      });
      expect(arrived).to.deep.equal({ body: 'x'.repeat(bytes), length: String(bytes) });
      for (let turns = 0; held?.deref() !== undefined && turns < 50; turns++) {
        await new Promise((resolve) => setImmediate(resolve));
        collect();
      }
      expect(held?.deref(), `${bytes} bytes`).to.equal(undefined);
      exchange.abort();
      streaming.closeAllConnections();
      streaming.close();
      await ended;
    }
  });

  it('that break under what they carry end nothing else', async () => {
    const broken = createTcpServer((socket) => void socket.once('data', () => socket.resetAndDestroy()));
    await new Promise<void>((resolve) => broken.listen(0, '127.0.0.1', resolve));
    const { port } = broken.address() as AddressInfo;
    for (const accept of ['application/json', 'text/event-stream']) {
      for (const body of [Buffer.from('{}'), Buffer.alloc(100_000, 'x')]) {
        const { fault } = await send({ origin: `http://127.0.0.1:${port}`, headers: { accept }, body });
        expect(fault?.kind).to.equal('broken');
      }
    }
    expect(running()).to.equal(0);
    await new Promise((resolve) => broken.close(resolve));
  });

  describe('of which there may be so many', () => {
    const few = async (connections: number): Promise<void> => {
      await pools.close();
      pools = createUpstreamPools({ guard: createEgressGuard(parseEgressPolicy('loopback') ?? expect.fail('not a policy')), connections });
    };
    let sockets: Set<Socket>;
    const count = (socket: Socket): void => void sockets.add(socket);
    beforeEach(() => {
      sockets = new Set();
      server.on('connection', count);
    });
    afterEach(() => void server.off('connection', count));

    it('are used again, and no exchange waits behind another one while there may be more', async () => {
      await few(4);
      for (let turn = 0; turn < 5; turn++) expect((await send()).body).to.equal('fine');
      // The second call comes from within the first one's end.
      expect(sockets.size).to.be.at.most(2);
      const held: ServerResponse[] = [];
      answer = (res) => void held.push(res);
      const silent = [send(), send(), send()];
      while (held.length < 3) await new Promise((resolve) => setImmediate(resolve));
      answer = (res) => res.end('fine');
      for (let turn = 0; turn < 5; turn++) expect((await send()).body).to.equal('fine');
      expect(sockets.size).to.be.at.most(4);
      for (const res of held) res.end('late');
      expect((await Promise.all(silent)).map(({ body }) => body)).to.deep.equal(['late', 'late', 'late']);
    });

    it('let others wait, in turn, and are closed when nobody waits any more', async () => {
      await few(3);
      const all = Promise.all(Array.from({ length: 50 }, () => send()));
      expect(pools.stats().reduce((sum, { waiting }) => sum + waiting, 0)).to.equal(50);
      const closed = pools.close();
      expect((await send()).fault?.kind).to.equal('unreachable');
      expect((await all).map(({ body }) => body)).to.deep.equal(Array<string>(50).fill('fine'));
      await closed;
      expect(sockets.size).to.equal(3);
      expect(pools.stats()).to.deep.equal([{ origin, connected: 0, running: 0, waiting: 0 }]);
    });

    it('are forgotten when they are lost, and made anew', async () => {
      await few(20);
      const held: ServerResponse[] = [];
      answer = (res) => void held.push(res);
      const many = Array.from({ length: 20 }, () => send());
      while (held.length < 20) await new Promise((resolve) => setImmediate(resolve));
      for (const res of held.slice(0, 10)) res.end('fine');
      await Promise.all(many.slice(0, 10));
      for (const res of held.slice(10)) res.socket?.destroy();
      for (const { fault } of await Promise.all(many.slice(10))) expect(fault?.kind).to.equal('broken');
      server.closeIdleConnections();
      while (pools.stats()[0]?.connected !== 0) await new Promise((resolve) => setImmediate(resolve));
      answer = (res) => res.end('fine');
      expect((await Promise.all(Array.from({ length: 60 }, () => send()))).every(({ body }) => body === 'fine')).to.equal(true);
      expect(sockets.size).to.equal(40);
    });

    it('are none the fewer for what cannot be sent, or has nobody to go to', async () => {
      await few(1);
      const bad = { headers: { 'x-bad': 'a\nb' } };
      const mixed = await Promise.all([send(bad), send(), send(bad), send(bad), send(), send(bad)]);
      const broken = 'unreachable';
      expect(mixed.map(({ body, fault }) => fault?.kind ?? body)).to.deep.equal([broken, 'fine', broken, broken, 'fine', broken]);
      expect((await send()).body).to.equal('fine');
      const nowhere = await Promise.all(Array.from({ length: 5 }, () => send({ origin: 'http://127.0.0.1:1' })));
      expect(nowhere.map(({ fault }) => fault?.kind)).to.deep.equal(Array<string>(5).fill('unreachable'));
      expect(running()).to.equal(0);
    });
  });

  it('do not follow a redirect', async () => {
    answer = (res) => res.writeHead(302, { location: 'http://169.254.169.254/' }).end();
    expect((await send()).status).to.equal(302);
    expect(requests).to.equal(1);
  });
});
