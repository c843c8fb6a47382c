import { request as httpRequest } from 'node:http';
import { connect, type Socket } from 'node:net';
import { expect } from 'chai';
import express, { type Express } from 'express';
import { createHttpServer, type HttpServer, type HttpServerOptions } from '../../../infra/http/http-server.ts';
import { timeSortedIds } from '../../../infra/ids.ts';

describe('the HTTP server', () => {
  let app: Express;
  let http: HttpServer;
  let url: string;

  const start = async (options: Omit<HttpServerOptions, 'app' | 'ids'> = {}): Promise<void> => {
    http = createHttpServer({ app, ids: timeSortedIds, ...options });
    url = `http://127.0.0.1:${await http.listen(0, '127.0.0.1')}`;
  };
  beforeEach(() => {
    app = express();
  });
  afterEach(async () => {
    http.closeAll();
    await http.close();
  });

  it('makes requests and responses that Express has nothing to change about', async () => {
    let changed = 0;
    const setPrototypeOf = Object.setPrototypeOf.bind(Object);
    app.get('/', (req, res) => {
      res.json({ ip: req.ip, host: req.hostname, query: req.query });
    });
    await start();
    Object.setPrototypeOf = (object: object, prototype: object | null) => {
      if (Object.getPrototypeOf(object) !== prototype) changed++;
      return setPrototypeOf(object, prototype) as object;
    };
    try {
      const response = await new Promise<string>((resolve, reject) => {
        httpRequest(`${url}/?a=1`, (res) => {
          let text = '';
          res.on('data', (chunk: Buffer) => (text += chunk.toString()));
          res.on('end', () => resolve(text));
        })
          .on('error', reject)
          .end();
      });
      expect(JSON.parse(response)).to.deep.equal({ ip: '127.0.0.1', host: '127.0.0.1', query: { a: '1' } });
      expect(changed).to.equal(0);
    } finally {
      Object.setPrototypeOf = setPrototypeOf;
    }
  });

  it('does everything that Express does', async () => {
    const inner = express.Router();
    inner.get('/:id', (req, res) => void res.status(201).send(`${req.baseUrl} ${String(req.params['id'])}`));
    app.use('/inner', inner);
    app.get('/away', (_req, res) => res.redirect('/inner/x'));
    app.get('/throws', () => {
      throw new Error('on purpose');
    });
    app.use(
      (_error: unknown, _req: express.Request, res: express.Response, _next: express.NextFunction) => void res.status(500).send('handled'),
    );
    await start();
    const tell = async (path: string, init: RequestInit = {}): Promise<string> => {
      const response = await fetch(url + path, { redirect: 'manual', ...init });
      return `${response.status} ${await response.text()}`;
    };
    expect(await tell('/inner/7')).to.equal('201 /inner 7');
    expect(await tell('/away')).to.match(/^302 /);
    expect(await tell('/throws')).to.equal('500 handled');
    expect(await tell('/nothing')).to.match(/^404 /);
    expect(await tell('/inner/7', { method: 'HEAD' })).to.equal('201 ');
    expect((await fetch(`${url}/inner/7`)).headers.get('x-powered-by')).to.equal(null);
  });

  it('offers each request to whoever is to have it before Express', async () => {
    app.get('/:name', (req, res) => void res.send(`Express ${req.params.name}`));
    await start();
    const tell = async (path: string): Promise<string> => (await fetch(url + path)).text();
    expect(await tell('/mine')).to.equal('Express mine');
    http.takeRequests((req, res) => {
      if (req.url !== '/mine') return false;
      res.end(`taken from ${String(req.ip)}`);
      return true;
    });
    expect(await tell('/mine')).to.equal('taken from 127.0.0.1');
    expect(await tell('/yours')).to.equal('Express yours');
  });

  it('cuts clients that take too long to ask', async function () {
    this.timeout(10_000);
    app.post('/', (req, res) => void req.on('end', () => res.end('done')).resume());
    await start({ headersMs: 300, requestMs: 600 });
    const port = Number(new URL(url).port);
    const slow = (begin: string): Promise<string> =>
      new Promise((resolve) => {
        let text = '';
        const socket: Socket = connect(port, '127.0.0.1', () => socket.write(begin));
        socket.on('data', (chunk) => (text += chunk.toString()));
        socket.on('close', () => resolve(text));
      });
    const answers = await Promise.all([
      slow('GET / HTTP/1.1\r\nhost: x\r\nx-slow'),
      slow('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhalf'),
    ]);
    for (const answer of answers)
      expect(answer)
        .to.match(/^HTTP\/1\.1 408 /)
        .and.match(/x-request-id: req_/);
  });

  describe('on raw connections', () => {
    /** Writes, goes on writing `drip` every few milliseconds, and resolves with all that came back once it is closed. */
    const spoken = (begin: string, drip = ''): Promise<string> =>
      new Promise((resolve) => {
        let text = '';
        const socket = connect(Number(new URL(url).port), '127.0.0.1', () => void (begin !== '' && socket.write(begin)));
        const dripping = setInterval(() => drip !== '' && socket.writable && socket.write(drip), 20);
        socket.on('data', (chunk) => (text += chunk.toString()));
        socket.on('error', () => undefined);
        socket.on('close', () => {
          clearInterval(dripping);
          resolve(text);
        });
      });

    beforeEach(() => {
      app.post('/', (req, res) => void req.on('end', () => res.end('done')).resume());
      app.get('/', (_req, res) => void res.set('connection', 'close').send('here'));
    });

    it('cuts those that never stop to begin: heads and bodies that trickle, and silence', async function () {
      this.timeout(10_000);
      await start({ headersMs: 300, requestMs: 600 });
      const [head, body, silent] = await Promise.all([
        spoken('GET / HTTP/1.1\r\nhost: x\r\n', 'x-drip: 1\r\n'),
        spoken('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n', 'x'),
        spoken(''),
      ]);
      for (const answer of [head, body]) expect(answer).to.match(/^HTTP\/1\.1 408 /);
      expect(silent).to.match(/^(HTTP\/1\.1 408 |$)/);
    });

    it('refuses floods of headers: by their size, by their number, and without an end', async () => {
      await start({ headerBytes: 8_192, headers: 50 });
      const head = (lines: readonly string[]): string => `GET / HTTP/1.1\r\nhost: x\r\n${lines.join('')}\r\n`;
      const few = Array.from({ length: 40 }, (_, index) => `x-${index}: 1\r\n`);
      const many = Array.from({ length: 60 }, (_, index) => `x-${index}: 1\r\n`);
      expect(await spoken(head(few))).to.match(/^HTTP\/1\.1 200 /);
      for (const flood of [head(many), head([`x-long: ${'a'.repeat(9_000)}\r\n`]), `GET /${'a'.repeat(9_000)} HTTP/1.1\r\n`]) {
        const answer = await spoken(flood);
        expect(answer)
          .to.match(/^HTTP\/1\.1 431 /)
          .and.match(/x-request-id: req_/);
        expect(JSON.parse(answer.slice(answer.indexOf('{'), answer.lastIndexOf('}') + 1))).to.have.nested.property(
          'error.code',
          'invalid_request',
        );
      }
      expect(await spoken('GET / HTTP/1.1\r\nhost: x\r\n', 'x-drip: 0123456789012345678901234567890123456789\r\n'.repeat(20))).to.match(
        /^HTTP\/1\.1 431 /,
      );
    });

    it('refuses in its own words what node:http and Express have other words for', async () => {
      const failures: unknown[] = [];
      await start({ failed: (error, requestId) => failures.push([error, requestId]) });
      const broken = new Error('on purpose');
      app.get('/named/:name', (_req, res) => void res.end('never'));
      app.get('/throws', () => {
        throw broken;
      });
      const host = 'host: x\r\nconnection: close';
      for (const [status, code, head] of [
        [400, 'invalid_request', 'GET / HTTP/1.1\r\nconnection: close'],
        [417, 'invalid_request', `POST / HTTP/1.1\r\n${host}\r\nexpect: a miracle\r\ncontent-length: 0`],
        [404, 'not_found', `GET http:// HTTP/1.1\r\n${host}`],
        [404, 'not_found', `GET /nothing HTTP/1.1\r\n${host}`],
        [400, 'invalid_request', `GET /named/%zz HTTP/1.1\r\n${host}`],
        [500, 'internal', `GET /throws HTTP/1.1\r\n${host}`],
      ] as const) {
        const answer = await spoken(`${head}\r\n\r\n`);
        expect(answer, head)
          .to.match(new RegExp(`^HTTP/1\\.1 ${status} `))
          .and.match(/x-request-id: req_/i)
          .and.not.match(/on purpose|node_modules/);
        expect(JSON.parse(answer.slice(answer.indexOf('{'), answer.lastIndexOf('}') + 1)), head).to.have.nested.property(
          'error.code',
          code,
        );
      }
      expect(failures).to.have.length(1);
      expect(failures[0]).to.have.property('0', broken);
      expect(await spoken('GET / HTTP/1.0\r\n\r\n'), 'which knows no host').to.match(/^HTTP\/1\.1 200 /);
    });

    it('closes what comes beyond as many connections as one address may have, and takes others once there is room', async () => {
      await start({ connectionsPerAddress: 2 });
      const held = [1, 2].map(() => connect(Number(new URL(url).port), '127.0.0.1'));
      await Promise.all(held.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
      const ask = 'GET / HTTP/1.1\r\nhost: x\r\n\r\n';
      // Both are known to the server once a third is closed without a word.
      while ((await spoken(ask)) !== '');
      for (const socket of held) socket.destroy();
      let answer = '';
      while (answer === '') answer = await spoken(ask);
      expect(answer).to.match(/^HTTP\/1\.1 200 /);
    });
  });

  it('ends gracefully: answers what runs, closes connections behind it, takes no new ones', async () => {
    let finish: () => void = () => undefined;
    const arrived = new Promise<void>((resolve) => {
      app.get('/', (_req, res) => {
        finish = () => void res.end('finished');
        resolve();
      });
    });
    await start();
    const running = fetch(url);
    await arrived;
    const closed = http.close();
    const refused: unknown = await fetch(url).catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(TypeError);
    finish();
    expect(await (await running).text()).to.equal('finished');
    await closed;
  });
});
