import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, get, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import express from 'express';
import { createUiRouter } from '../../../gateways/console/create-ui-router.ts';
import { loadUiFiles } from '../../../gateways/console/ui-files.ts';

const INDEX = `<!doctype html><title>Oblivious</title>${'<!-- filler -->'.repeat(100)}`;
const SCRIPT = `export const x = ${JSON.stringify('y'.repeat(2_000))};`;

describe('the console’s pages', () => {
  let directory: string;
  let server: Server;
  const serve = async (folder: string, secure = false): Promise<void> => {
    const app = express();
    app.use(createUiRouter(await loadUiFiles(folder), secure));
    server = createServer(app);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  };
  const fetchPage = async (
    path: string,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; headers: IncomingMessage['headers']; body: Buffer }> => {
    const { port } = server.address() as AddressInfo;
    const response = await new Promise<IncomingMessage>((resolve, reject) =>
      get({ host: '127.0.0.1', port, path, headers, agent: false }, resolve).on('error', reject),
    );
    const chunks: Buffer[] = [];
    for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
    return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) };
  };

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'oblivious-ui-'));
    await mkdir(join(directory, 'assets'));
    await mkdir(join(directory, '.vite'));
    await writeFile(join(directory, 'index.html'), INDEX);
    await writeFile(join(directory, 'assets', 'index-abc123.js'), SCRIPT);
    await writeFile(join(directory, '.vite', 'manifest.json'), '{}');
  });
  after(() => rm(directory, { recursive: true }));
  afterEach(() => new Promise((resolve) => server.close(resolve)));

  it('are one document for every address that looks like a page', async () => {
    await serve(directory);
    for (const path of ['/', '/keys', '/requests?status=failed', '/ledger/journal', '/sign-in']) {
      const { status, headers, body } = await fetchPage(path);
      expect(status, path).to.equal(200);
      expect(headers['content-type']).to.equal('text/html; charset=utf-8');
      expect(headers['cache-control']).to.equal('no-cache');
      expect(body.toString()).to.equal(INDEX);
    }
  });

  it('are not given for what is no page and no file', async () => {
    await serve(directory);
    for (const path of [
      '/assets/gone-123.js',
      '/api/nothing',
      '/v1/nothing',
      '/.vite/manifest.json',
      '/..%2f..%2fetc%2fpasswd.txt',
      '/assets/../../package.json',
    ])
      expect((await fetchPage(path)).status, path).to.equal(404);
  });

  it('are kept for good where the name holds a digest, and asked after where not', async () => {
    await serve(directory);
    const { headers } = await fetchPage('/assets/index-abc123.js');
    expect(headers['cache-control']).to.equal('public, max-age=31536000, immutable');
    const etag = (await fetchPage('/')).headers.etag ?? '';
    const again = await fetchPage('/', { 'if-none-match': etag });
    expect(again.status).to.equal(304);
    expect(again.body).to.have.length(0);
  });

  it('are compressed for who takes it', async () => {
    await serve(directory);
    const plain = await fetchPage('/assets/index-abc123.js');
    expect(plain.headers['content-encoding']).to.equal(undefined);
    const gzipped = await fetchPage('/assets/index-abc123.js', { 'accept-encoding': 'br, gzip' });
    expect(gzipped.headers['content-encoding']).to.equal('gzip');
    expect(gzipped.body.length).to.be.lessThan(plain.body.length);
    expect(gunzipSync(gzipped.body).toString()).to.equal(SCRIPT);
  });

  it('carry a policy that lets nothing in from elsewhere', async () => {
    await serve(directory, true);
    const { headers } = await fetchPage('/');
    const policy = headers['content-security-policy'] as string;
    expect(policy)
      .to.include("default-src 'none'")
      .and.include("script-src 'self'")
      .and.not.include('unsafe-eval')
      .and.not.include('https:');
    expect(/script-src[^;]*unsafe-inline/.test(policy)).to.equal(false);
    expect(headers['strict-transport-security']).to.equal('max-age=31536000');
    expect(headers['referrer-policy']).to.equal('no-referrer');
  });

  it('say how they are built where they were not', async () => {
    await serve(join(directory, 'assets'));
    const { status, body } = await fetchPage('/');
    expect(status).to.equal(404);
    expect(body.toString()).to.include('make build');
  });
});
