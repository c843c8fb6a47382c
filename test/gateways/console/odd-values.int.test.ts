import { expect } from 'chai';
import { consoleBench, type ConsoleBench, type ConsoleClient } from '../../support/console-bench.ts';

interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
}

interface Described {
  readonly operationId: string;
  readonly parameters: readonly Parameter[];
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>;
}

/** As they stand in an address: what no client of ours sends. */
const ODD: readonly string[] = [
  '',
  '%00',
  '%FF',
  '%ED%A0%80',
  '%F0%9F%98%80',
  "'%3B--",
  '__proto__',
  '[]',
  'NaN',
  '1e9',
  '9223372036854775808',
  '9'.repeat(400),
  '0000-01-01T00:00:00Z',
  '9999-12-31T23:59:59Z',
  '275760-09-13T00:00:00Z',
  Buffer.from('{"__proto__":{}}').toString('base64url'),
  Buffer.from('"99999999999999999999"').toString('base64url'),
];

describe('odd values in addresses of the console’s API', () => {
  let bench: ConsoleBench;
  let admin: ConsoleClient;
  let described: readonly { readonly path: string; readonly operation: Described }[];
  before(async function () {
    this.timeout(120_000);
    bench = await consoleBench();
    admin = await bench.admin();
    const document = (await admin.get('/openapi.json')).body as { readonly paths: Record<string, { readonly get?: Described }> };
    described = Object.entries(document.paths).flatMap(([path, { get }]) => (get === undefined ? [] : [{ path, operation: get }]));
  });
  after(() => bench.close());

  const plain = (path: string): string => path.replaceAll(/\{\w+\}/g, 'none');

  /** What ends: a stream that is let in does not. */
  const ends = ({ responses }: Described): boolean => responses[200]?.content?.['text/event-stream'] === undefined;

  const faults = async (addresses: readonly string[]): Promise<readonly string[]> => {
    const found: string[] = [];
    for (const address of addresses) {
      const { status } = await admin.get(address);
      if (status >= 500) found.push(`${status} ${address.slice(0, 200)}`);
    }
    return found;
  };

  it('are refused or find nothing, and are no fault of the server’s', async function () {
    this.timeout(120_000);
    const addresses = described
      .filter(({ operation }) => ends(operation))
      .flatMap(({ path, operation }) =>
        operation.parameters
          .filter((parameter) => parameter.in !== 'header')
          .flatMap(({ name, in: place }) =>
            ODD.map((value) => (place === 'path' ? path.replace(`{${name}}`, value) : `${plain(path)}?${name}=${value}`)),
          ),
      );
    expect(addresses).to.have.length.above(1_000);
    expect(await faults(addresses)).to.deep.equal([]);
  });

  it('name the field, where a position of the log is wanted', async () => {
    const { status, body } = await admin.get('/api/keys?after=soon');
    expect(status).to.equal(400);
    expect(body.error).to.include({ code: 'invalid_request', param: 'after', message: 'after: expected a log position' });
  });

  it('under other names are passed over', async () => {
    const addresses = described
      .filter(({ operation }) => ends(operation))
      .flatMap(({ path }) => ['__proto__=1', '__proto__[x]=1', 'constructor=1', '=', '&&&'].map((query) => `${plain(path)}?${query}`));
    expect(await faults(addresses)).to.deep.equal([]);
  });
});
