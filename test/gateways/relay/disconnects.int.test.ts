import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, request as httpRequest, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import prettier from 'prettier';
import type { Upstream } from '../../../gateways/ports/upstream.ts';
import { exactCounter, POINTS, PROMPT, STREAMINGS, TRUTH, type Point, type Streaming } from './disconnect-streams.ts';
import { channel, chatPrice, KEY, startRelay, type RelayHarness } from './relay-harness.ts';

const PAGE = 'docs/faults.md';
const REWRITE = 'OBLIVIOUS_WRITE_DOCS=1 npx mocha test/gateways/relay/disconnects.int.test.ts';

type Side = 'client' | 'upstream';

/** What a call is charged. `reported`: its upstream's own figures; `counted`: by the relay's tokeniser; `prompt …`: nothing but its prompt. */
type Charge =
  | 'nothing'
  | 'prompt, counted'
  | 'so far, counted'
  | 'so far, prompt as reported'
  | 'all, counted'
  | 'all, prompt as reported'
  | 'all, as reported';

/** By the written rule, and not by what the relay does. */
const ruleOf = (side: Side, point: Point, { reportsPromptEarly, reportsAtEndOnly, isReadOn }: Streaming, reports: boolean): Charge => {
  if (point === 'before the answer begins') return 'nothing';
  if (side === 'client' && isReadOn) return reports ? 'all, as reported' : 'all, counted';
  const early = reports && reportsPromptEarly;
  switch (point) {
    case 'before the first token':
      return side === 'client' ? 'prompt, counted' : 'nothing';
    case 'in the middle of a text':
    case 'in the middle of a call':
      return early ? 'so far, prompt as reported' : 'so far, counted';
    case 'all but its end':
      return reports && !reportsAtEndOnly ? 'all, as reported' : early ? 'all, prompt as reported' : 'all, counted';
    case 'at its end':
      return reports ? 'all, as reported' : 'all, counted';
  }
};

/** Nano-dollars, as the upstream would bill what it was asked and what it had said. */
const amountOf = (charge: Charge, point: Point, { name }: Streaming): number => {
  const input = charge.endsWith('reported') ? (TRUTH.prompt - TRUTH.cached) * 2_000 + TRUTH.cached * 500 : TRUTH.prompt * 2_000;
  const whole = name === 'generateContent' && point === 'in the middle of a call' ? TRUTH.halfText * 2 : TRUTH.begunCall;
  const output = charge.startsWith('all')
    ? TRUTH.output
    : charge === 'prompt, counted'
      ? 0
      : point === 'in the middle of a text'
        ? TRUTH.halfText
        : whole;
  return input + output * 8_000;
};

/** An upstream that says what it is told to, as far as it is told to. */
class ScriptedUpstream {
  readonly server = createServer((req, res) => {
    req.resume().on('end', () => this.#asked(res));
    res.on('close', () => this.#closed());
  });
  #asked: (res: ServerResponse) => void = () => undefined;
  #closed: () => void = () => undefined;

  next(): { readonly asked: Promise<ServerResponse>; readonly closed: Promise<void> } {
    return {
      asked: new Promise((resolve) => (this.#asked = resolve)),
      closed: new Promise((resolve) => (this.#closed = resolve)),
    };
  }
}

/** Knows how much the relay has heard and dealt with: everything that it does with a piece, it does at once. */
class Heard {
  bytes = -1;
  #wanted: { readonly bytes: number; readonly resolve: () => void } | null = null;

  between(upstream: Upstream): Upstream {
    return {
      send: (request, listener) =>
        upstream.send(request, {
          headers: (status, headers) => {
            listener.headers(status, headers);
            this.#add(1);
          },
          data: (chunk) => {
            const goOn = listener.data(chunk);
            this.#add(chunk.length);
            return goOn;
          },
          end: () => listener.end(),
          failed: (fault) => listener.failed(fault),
        }),
    };
  }

  begin(): void {
    this.bytes = -1;
    this.#wanted = null;
  }

  until(bytes: number): Promise<void> {
    if (this.bytes >= bytes) return Promise.resolve();
    return new Promise((resolve) => (this.#wanted = { bytes, resolve }));
  }

  #add(bytes: number): void {
    this.bytes += bytes;
    if (this.#wanted !== null && this.bytes >= this.#wanted.bytes) this.#wanted.resolve();
  }
}

const rowsOf = (cells: ReadonlyMap<string, Charge>): string => {
  const columns = STREAMINGS.flatMap(({ name }) => [
    [name, true],
    [name, false],
  ]) as readonly (readonly [string, boolean])[];
  const line = (parts: readonly string[]): string => `| ${parts.join(' | ')} |\n`;
  let table = line(['who is gone', 'when', ...columns.map(([name, reports]) => `${name}, usage ${reports ? 'told' : 'not told'}`)]);
  table += line(['---', '---', ...columns.map(() => '---')]);
  for (const side of ['client', 'upstream'] as const)
    for (const point of POINTS)
      table += line([side, point, ...columns.map(([name, reports]) => cells.get([side, point, name, reports].join()) ?? '')]);
  return table;
};

describe('a stream that one side leaves', () => {
  const upstream = new ScriptedUpstream();
  const heard = new Heard();
  const shown = new Map<string, Charge>();
  let relay: RelayHarness;
  let url = '';

  before(async () => {
    upstream.server.listen(0, '127.0.0.1');
    await once(upstream.server, 'listening');
    url = `http://127.0.0.1:${(upstream.server.address() as AddressInfo).port}`;
    relay = await startRelay({ tokenCounter: exactCounter, between: (pools) => heard.between(pools) });
    relay.directory.prices.set('m', chatPrice('m'));
  });
  after(async () => {
    await relay.close();
    upstream.server.closeAllConnections();
    upstream.server.close();
  });

  const leave = async (side: Side, point: Point, streaming: Streaming, reports: boolean): Promise<void> => {
    const { name, provider, base, path, isReadOn } = streaming;
    relay.directory.channels = [channel(url + base, { provider, ...(name === 'Responses' ? { responses: 'native' as const } : {}) })];
    relay.spending.chargeDurable = null;
    heard.begin();
    const { asked, closed } = upstream.next();
    const client = httpRequest(relay.url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
      agent: false,
    });
    let text = '';
    const over = new Promise<void>((resolve) => {
      client.on('error', () => resolve()).on('close', () => resolve());
      client.on('response', (res) => {
        res.on('data', (chunk: Buffer) => (text += chunk.toString()));
        res.on('error', () => undefined);
      });
    });
    client.end(JSON.stringify(streaming.request(PROMPT)));
    const res = await asked;
    let rest = '';
    if (point !== 'before the answer begins') {
      const script = streaming.script(reports);
      const stages = POINTS.slice(2) as (keyof typeof script)[];
      const far = stages.indexOf(point as keyof typeof script);
      const said = stages.slice(0, far + 1).map((stage) => script[stage].join(''));
      rest = stages
        .slice(far + 1)
        .map((stage) => script[stage].join(''))
        .join('');
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.flushHeaders();
      if (side === 'client' && point === 'at its end')
        relay.spending.chargeDurable = async () => {
          client.destroy();
          await over;
          return null;
        };
      if (said.length > 0) res.write(said.join(''));
      await heard.until(Buffer.byteLength(said.join('')));
    }
    const isEnd = point === 'at its end';
    if (side === 'client') {
      // At the end the charge is on its way to the log, and the client leaves while it is.
      if (isEnd) res.end();
      else client.destroy();
      await over;
      if (!isEnd && isReadOn && point !== 'before the answer begins') res.end(rest);
      await closed;
    } else if (isEnd && isReadOn) res.end();
    else res.destroy();
    await over;
    await relay.idle();

    const { charges, releases, hold } = relay.spending.last;
    const rule = ruleOf(side, point, streaming, reports);
    expect(relay.spending.unended, 'holds that nobody ended').to.equal(0);
    if (rule === 'nothing') {
      expect([charges.length, releases.map(({ reconcile }) => reconcile)]).to.deep.equal([0, [true]]);
    } else {
      const [charge] = charges;
      if (charge === undefined || charges.length !== 1) return expect.fail(`it was charged ${charges.length} times`);
      const wanted = amountOf(rule, point, streaming);
      const computed = Number(charge.computed);
      expect([charge.basis, charge.usage], rule).to.satisfy(
        ([basis]: [string]) => basis === (rule === 'all, as reported' ? 'reported' : 'estimated'),
      );
      expect(computed / wanted, `charged ${computed} of ${wanted}: ${JSON.stringify(charge.usage)}`).to.be.closeTo(
        1,
        rule === 'all, as reported' ? 0 : 0.02,
      );
      expect(charge.usage.cachedInput ?? 0).to.equal(rule.endsWith('reported') ? TRUTH.cached : 0);
      expect(computed).to.be.greaterThan(0).and.lessThan(Number(hold.amount));
    }
    if (side === 'upstream' && !isEnd && !rule.startsWith('all, as')) expect(text).to.match(/upstream_failed|overloaded|api_error|error/i);
    shown.set([side, point, name, reports].join(), rule);
  };

  for (const side of ['client', 'upstream'] as const)
    for (const streaming of STREAMINGS)
      for (const reports of [true, false])
        it(`is charged for what came of it: the ${side} is gone, ${streaming.name}, usage ${reports ? 'told' : 'not told'}`, async () => {
          for (const point of POINTS) {
            try {
              await leave(side, point, streaming, reports);
            } catch (error) {
              if (error instanceof Error) error.message = `${point}: ${error.message}`;
              throw error;
            }
          }
        });

  it('is charged as the page says', async function () {
    if (shown.size < 2 * POINTS.length * STREAMINGS.length * 2) return this.skip();
    const page = await readFile(PAGE, 'utf8');
    const [begin, end] = ['<!-- disconnects: begin -->', '<!-- disconnects: end -->'];
    const at = page.indexOf(begin) + begin.length;
    const filled = `${page.slice(0, at)}\n\n${rowsOf(shown)}\n${page.slice(page.indexOf(end))}`;
    const wanted = await prettier.format(filled, { ...(await prettier.resolveConfig(PAGE)), parser: 'markdown' });
    if (process.env['OBLIVIOUS_WRITE_DOCS'] === '1') return void (await writeFile(PAGE, wanted));
    expect(page === wanted, `${PAGE} is not what the tests have shown. This rewrites it: ${REWRITE}`).to.equal(true);
  });
});
