import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import type { PictureSource } from '../../../gateways/ports/picture-source.ts';
import { createEgressGuard, type Resolve } from '../../../infra/egress/guard.ts';
import { parseEgressPolicy, type EgressPolicy } from '../../../infra/egress/policy.ts';
import { createPictureSource } from '../../../infra/pictures/picture-source.ts';

const PNG = Buffer.concat([Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'), Buffer.alloc(200, 7)]);

const never = new AbortController().signal;

describe('fetching pictures', () => {
  let server: Server;
  let port = 0;
  let asked: string[] = [];
  let answer: (req: IncomingMessage, res: ServerResponse) => void = (_req, res) => res.end(PNG);

  before(async () => {
    server = createServer((req, res) => {
      asked.push(`${req.headers.host ?? ''}${req.url ?? ''}`);
      answer(req, res);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  });

  beforeEach(() => {
    asked = [];
    answer = (_req, res) => res.end(PNG);
  });

  after(() => {
    server.closeAllConnections();
    server.close();
  });

  /** Every name is this machine, unless a test says otherwise. */
  const toHere: Resolve = (_name, callback) => callback(null, [{ address: '127.0.0.1', family: 4 }]);

  const source = (
    allowed: string,
    more: { resolve?: Resolve; timeoutMs?: number; atOnce?: number; allowsHttp?: boolean } = {},
  ): PictureSource =>
    createPictureSource({
      guard: createEgressGuard(parseEgressPolicy(allowed) as EgressPolicy, more.resolve ?? toHere),
      allowsHttp: more.allowsHttp ?? true,
      ports: [port],
      timeoutMs: more.timeoutMs ?? 5_000,
      ...(more.atOnce === undefined ? {} : { atOnce: more.atOnce }),
    });

  const at = (path: string, host = 'pictures.test'): string => `http://${host}:${port}${path}`;

  it('tells what it is by its bytes, whatever it is called', async () => {
    answer = (_req, res) => res.writeHead(200, { 'content-type': 'text/html' }).end(PNG);
    const found = await source('loopback').fetch(at('/a.jpg'), 1_000, never);
    expect(found).to.deep.equal({ type: 'image/png', bytes: PNG });
    expect(asked).to.deep.equal([`pictures.test:${port}/a.jpg`]);
  });

  it('never goes where it may not, in whatever form the address is written, and does not say why', async () => {
    const strict = source('none');
    const hosts = [
      '127.0.0.1',
      '127.1',
      '2130706433',
      '0x7f.1',
      '017700000001',
      '0.0.0.0',
      '[::]',
      '[::1]',
      '[::ffff:127.0.0.1]',
      '[::127.0.0.1]',
      '[64:ff9b::7f00:1]',
      '[2002:7f00:1::]',
      '[fd00:ec2::254]',
      '[fe80::1]',
      '169.254.169.254',
      '100.100.100.200',
      '10.0.0.1',
      'localhost',
      'localhost.',
      'metadata.google.internal',
      '①②⑦.⓪.⓪.①',
    ];
    for (const host of hosts) expect(await strict.fetch(at('/', host), 1_000, never), host).to.equal('unreachable');
    const both: Resolve = (_name, callback) =>
      callback(null, [
        { address: '8.8.8.8', family: 4 },
        { address: '127.0.0.1', family: 4 },
      ]);
    expect(await source('none', { resolve: both }).fetch(at('/'), 1_000, never)).to.equal('unreachable');
    expect(asked).to.deep.equal([]);
  });

  it('takes addresses of the web only, without names and passwords, at ports that are known', async () => {
    const open = source('loopback');
    for (const address of [
      `http://pictures.test@127.0.0.1:${port}/`,
      `http://me:secret@pictures.test:${port}/`,
      'http://pictures.test:22/',
      'http://pictures.test:6379/',
      'file:///etc/passwd',
      'ftp://pictures.test/a.png',
      'gopher://pictures.test/a',
      'data:image/png;base64,AAAA',
      'not an address',
    ])
      expect(await open.fetch(address, 1_000, never), address).to.equal('address');
    expect(await source('loopback', { allowsHttp: false }).fetch(at('/'), 1_000, never)).to.equal('address');
    expect(asked).to.deep.equal([]);
  });

  it('follows three redirects, each judged like the first', async () => {
    const open = source('127.0.0.1/32');
    const hops = (most: number) => (req: IncomingMessage, res: ServerResponse) => {
      const hop = Number(req.url?.slice(1));
      if (hop >= most) res.end(PNG);
      else res.writeHead([301, 302, 307, 308][hop % 4] as number, { location: `/${hop + 1}` }).end();
    };
    answer = hops(3);
    expect(await open.fetch(at('/0'), 1_000, never)).to.have.property('type', 'image/png');
    answer = hops(4);
    expect(await open.fetch(at('/0'), 1_000, never)).to.equal('unreachable');
    asked = [];
    for (const location of [
      `http://127.0.0.2:${port}/in`,
      `http://[::1]:${port}/in`,
      `//169.254.169.254:${port}/in`,
      `http://127.0.0.1:22/`,
      'file:///etc/passwd',
      `http://me:secret@127.0.0.1:${port}/in`,
    ]) {
      answer = (_req, res) => res.writeHead(302, { location }).end();
      expect(await open.fetch(at('/from'), 1_000, never), location).to.be.oneOf(['unreachable', 'address']);
    }
    expect(asked.every((one) => one.endsWith('/from'))).to.equal(true);
  });

  it('connects to what it judged: a name that changes in between gains nothing', async () => {
    const answers = ['127.0.0.1', '127.0.0.2'];
    const rebinding: Resolve = (_name, callback) => callback(null, [{ address: answers.shift() ?? '127.0.0.2', family: 4 }]);
    answer = (req, res) => (req.url === '/0' ? res.writeHead(302, { location: at('/1', 'other.test') }).end() : res.end(PNG));
    expect(await source('127.0.0.1/32', { resolve: rebinding }).fetch(at('/0'), 1_000, never)).to.equal('unreachable');
    expect(asked).to.deep.equal([`pictures.test:${port}/0`]);
  });

  it('reads no more than it may, and nothing that is no picture to its end', async () => {
    const open = source('loopback');
    let sent = 0;
    const endless = (first: Buffer) => (_req: IncomingMessage, res: ServerResponse) => {
      sent = 0;
      res.write(first);
      const more = (): void => {
        while (!res.destroyed && sent < 64 * 1024 * 1024) {
          sent += 65_536;
          if (!res.write(Buffer.alloc(65_536))) return void res.once('drain', more);
        }
      };
      more();
    };
    answer = endless(PNG);
    expect(await open.fetch(at('/large'), 100_000, never)).to.equal('too_large');
    expect(sent).to.be.lessThan(16 * 1024 * 1024);
    answer = endless(Buffer.from('<html>'));
    expect(await open.fetch(at('/html'), 10_000_000, never)).to.equal('no_picture');
    expect(sent).to.be.lessThan(16 * 1024 * 1024);
    answer = (_req, res) => res.writeHead(200, { 'content-length': '5000000' }).end();
    expect(await open.fetch(at('/said'), 1_000, never)).to.equal('too_large');
    answer = (_req, res) => res.writeHead(200, { 'content-encoding': 'gzip' }).end(PNG);
    expect(await open.fetch(at('/packed'), 1_000, never)).to.equal('no_picture');
    answer = (_req, res) => res.end('<svg xmlns="http://www.w3.org/2000/svg"/>');
    expect(await open.fetch(at('/svg'), 1_000, never)).to.equal('no_picture');
    answer = (_req, res) => res.writeHead(404).end(PNG);
    expect(await open.fetch(at('/gone'), 1_000, never)).to.equal('unreachable');
  });

  it('waits no longer than it may, for a byte or for its turn, and not for whoever left', async () => {
    answer = (_req, res) => void res.write(PNG.subarray(0, 20));
    expect(await source('loopback', { timeoutMs: 80 }).fetch(at('/slow'), 1_000, never)).to.equal('unreachable');
    const narrow = source('loopback', { atOnce: 1, timeoutMs: 3_000 });
    const leaving = new AbortController();
    const first = narrow.fetch(at('/slow'), 1_000, leaving.signal);
    const impatient = new AbortController();
    const second = narrow.fetch(at('/second'), 1_000, impatient.signal);
    const third = narrow.fetch(at('/third'), 1_000, never);
    impatient.abort();
    expect(await second).to.equal('unreachable');
    answer = (_req, res) => res.end(PNG);
    leaving.abort();
    expect(await first).to.equal('unreachable');
    expect(await third).to.have.property('type', 'image/png');
    expect(asked.some((one) => one.endsWith('/second'))).to.equal(false);
  });
});
