import { expect } from 'chai';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { runCli } from '../../../gateways/cli/run-cli.ts';
import { allCommands } from '../../../gateways/cli/commands/all-commands.ts';
import { readModelCare } from '../../../gateways/console/read-model-care.ts';
import type { CommandLineHost, OpenedData } from '../../../gateways/ports/command-line-host.ts';
import { gunzipSync } from 'node:zlib';
import { exportsWorker } from '../../../commands/exports/exports-worker.ts';
import { exportSource } from '../../../gateways/exports/export-source.ts';
import { wallClock } from '../../support/projecting.ts';
import { startWorking } from '../../support/working.ts';
import { issueToken } from '../../../commands/tokens/issue-token.ts';
import { dollars } from '../../../domain/ledger/money.ts';
import { insertWork } from '../../../infra/workers/work-table.ts';
import { projections } from '../../../projections/registry.ts';
import { refuse, type Refusal } from '../../../schemas/errors.ts';
import { Endpoint, UNRESTRICTED } from '../../../schemas/events/token.ts';
import { RequestId } from '../../../schemas/ids.ts';
import { consoleBench, OPERATOR_TOKEN, type ConsoleBench } from '../../support/console-bench.ts';
import { listed } from '../../support/listed.ts';
import { done } from '../../support/refused.ts';
import { spendOnLease } from '../../support/spending.ts';

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** Standard output as JSON. */
  readonly json: () => any; // eslint-disable-line @typescript-eslint/no-explicit-any -- a test reads whatever came
}

interface Machine extends Partial<Pick<CommandLineHost, 'config' | 'start' | 'server' | 'openData'>> {
  readonly stdin?: string;
  readonly interrupted?: AbortSignal;
  readonly wrote?: (path: string, content: Buffer) => void;
  /** Sees standard output as it grows. */
  readonly watch?: (out: string) => void;
}

const say = async (argv: readonly string[], machine: Machine = {}): Promise<Said> => {
  const written = { out: '', err: '' };
  const output = (name: 'out' | 'err') => ({
    isTTY: false,
    write: (text: string) => {
      written[name] += text;
      if (name === 'out') machine.watch?.(written.out);
    },
  });
  const code = await runCli(argv, {
    version: '1.2.3',
    stdout: output('out'),
    stderr: output('err'),
    interrupted: machine.interrupted ?? new AbortController().signal,
    readStdin: () => Promise.resolve(machine.stdin ?? ''),
    readFile: () => Promise.reject(new Error('no files here')),
    writeFile: async (path, content) => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of content) chunks.push(chunk);
      machine.wrote?.(path, Buffer.concat(chunks));
      return null;
    },
    start: machine.start ?? (() => Promise.resolve(0)),
    config: machine.config ?? (() => ({ settings: [{ name: 'PORT', value: '3000', given: false, about: 'Port to listen on.' }] })),
    server: machine.server ?? (() => Promise.resolve(null)),
    openData: machine.openData ?? (() => Promise.resolve(refuse('not_found', 'There is no installation here.'))),
  });
  return { code, ...written, json: () => JSON.parse(written.out) as unknown };
};

describe('the command line by itself', () => {
  it('says what there is, and how each command is used', async () => {
    for (const argv of [[], ['help'], ['--help']]) {
      const { code, out } = await say(argv);
      expect(code).to.equal(0);
      for (const { name } of allCommands) expect(out).to.include(name);
    }
    for (const { name, about, examples, options = {} } of allCommands) {
      const { code, out } = await say([...name.split(' '), '--help']);
      expect(code, name).to.equal(0);
      expect(out).to.include(about);
      expect(examples.length, name).to.be.greaterThan(0);
      for (const example of examples) expect(out).to.include(`oblivious ${example}`).and.include(`oblivious ${name}`);
      for (const option of Object.keys(options)) expect(out, name).to.include(`--${option}`);
    }
    expect((await say(['--version'])).out).to.equal('1.2.3\n');
    expect((await say(['start', '--help'])).out).to.not.match(/--url|--json/);
    expect((await say(['config', '--help'])).out)
      .to.include('--json')
      .and.not.include('--url');
    const { out: keys } = await say(['keys', 'create', '--help']);
    for (const door of Endpoint.options) expect(keys).to.include(door);
  });

  it('ends with 2 where it does not understand, and says what', async () => {
    for (const [argv, said] of [
      [['nonsense'], 'There is no command nonsense'],
      [['users'], 'users create'],
      [['users', 'create'], '<email> is missing'],
      [['users', 'create', 'a@example.com', 'b@example.com'], 'There is nothing to make of b@example.com'],
      [['users', 'list', '--colour'], '--colour'],
      [['credit', 'grant', 'usr_1', '5'], '--reason is missing'],
      [['credit', 'grant', 'usr_1', 'five', '--reason', 'x'], 'five is no amount'],
      [['keys', 'create', 'usr_1', '--name', 'x', '--expires', 'soon'], 'soon is no time'],
      [['events', 'show', 'x'], 'A position is a whole number'],
      [['users', 'list', '--role', 'king'], '--role takes user or admin'],
      [['users', 'list', '--url', 'nowhere'], '--url takes a URL'],
      [['start', '--url', 'https://elsewhere.example.com'], '--url'],
      [['start', '--json'], '--json'],
      [['start', '--role', 'relay,wrong'], '--role: expected all, or some of relay, console'],
      [['start', '--role', ''], '--role: expected all'],
      [['start', '--processes', 'four'], '--processes: '],
      [['start', '--processes', '65'], '--processes: '],
      [['config', '--url', 'https://elsewhere.example.com'], '--url'],
    ] as const) {
      const { code, out, err } = await say(argv);
      expect(code, argv.join(' ')).to.equal(2);
      expect(err).to.include(said);
      expect(out, 'nothing on standard output').to.equal('');
    }
  });

  it('ends with 4 where there is neither a server nor data', async () => {
    expect(await say(['users', 'list'])).to.include({ code: 4 });
    const { code, err } = await say(['ledger', 'verify']);
    expect(code).to.equal(4);
    expect(err).to.include('There is no installation here');
    const gone = await say(['users', 'list'], { server: () => Promise.resolve({ baseUrl: 'http://127.0.0.1:1', token: 'x' }) });
    expect(gone.code).to.equal(4);
  });

  it('tells what a server says that is still starting, which names the request beside its answer', async () => {
    const message = 'The server is starting; try again in a moment.';
    const server = createServer((_request, response) => {
      response.writeHead(503, { 'x-request-id': 'req_early' }).end(JSON.stringify({ error: { message, code: 'starting' } }));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const { port } = server.address() as AddressInfo;
      const said = await say(['users', 'list'], { server: () => Promise.resolve({ baseUrl: `http://127.0.0.1:${port}`, token: 'x' }) });
      expect(said).to.include({ code: 3, err: `${message} (starting, request req_early)\n` });
    } finally {
      server.close();
    }
  });

  it('ends with 1 where the configuration is wrong, and says what is: no server could be looked for', async () => {
    const mistakes = ['PORT: expected a number.', 'HOST: expected an address.'];
    for (const argv of [['users', 'list'], ['ledger', 'verify'], ['config']]) {
      const { code, out, err } = await say(argv, { config: () => ({ mistakes }) });
      expect({ code, out, err }, argv.join(' ')).to.deep.equal({ code: 1, out: '', err: `${mistakes.join('\n')}\n` });
    }
  });

  it('never sends a token of this machine to another', async () => {
    const asked: (string | undefined)[] = [];
    const { code, err } = await say(['users', 'list', '--url', 'https://elsewhere.example.com'], {
      server: async (url) => {
        asked.push(url);
        return null;
      },
    });
    expect(asked).to.deep.equal(['https://elsewhere.example.com']);
    expect(code).to.equal(4);
    expect(err).to.include('OBLIVIOUS_OPERATOR_TOKEN');
  });

  it('starts the server, and shows the configuration or what is wrong with it', async () => {
    expect((await say(['start'], { start: () => Promise.resolve(0) })).code).to.equal(0);
    expect((await say(['start'], { start: () => Promise.resolve(1) })).code).to.equal(1);
    const given: unknown[] = [];
    const start = (settings: unknown) => Promise.resolve(given.push(settings) - 1);
    await say(['start', '--role', 'relay,console', '--processes', '2'], { start });
    expect(given).to.deep.equal([{ OBLIVIOUS_ROLES: 'relay,console', OBLIVIOUS_PROCESSES: '2' }]);
    expect((await say(['config'])).out).to.include('PORT=3000   (unless set)');
    expect((await say(['config', '--json'])).json()).to.deep.equal({ PORT: { value: '3000', given: false } });
    const wrong = await say(['config'], { config: () => ({ mistakes: ['PORT: not a number.', 'HOST: empty.'] }) });
    expect(wrong).to.include({ code: 1, err: 'PORT: not a number.\nHOST: empty.\n' });
  });
});

describe('the command line with a server, and without', () => {
  let bench: ConsoleBench;
  let charged: RequestId;
  before(async function () {
    this.timeout(120_000);
    bench = await consoleBench();
    const published = bench.eventsOf('pricelist')[0];
    if (published?.type !== 'PriceListPublished' || published.data.models[0] === undefined) throw new Error('no prices');
    const { userId } = await bench.person('ada@example.com');
    done(await bench.book.execute(userId, { kind: 'grantCredit', amount: dollars(2), source: 'admin', reason: 'first' }, bench.context()));
    const { tokenId } = done(
      await issueToken(bench, { userId, name: 'adas', expiresAt: null, restrictions: UNRESTRICTED, caps: {} }, bench.context()),
    );
    charged = RequestId.parse('req_cli1');
    await spendOnLease(bench, 'cli', { userId, tokenId, priceListId: published.data.priceListId, price: published.data.models[0] }, [
      { requestId: charged, usage: { input: 1_000, output: 200 } },
    ]);
    await bench.projecting.caughtUp();
  });
  after(() => bench.close());

  const withServer = (argv: readonly string[], more: Machine = {}): Promise<Said> =>
    say(argv, { ...more, server: () => Promise.resolve({ baseUrl: `http://127.0.0.1:${bench.port}`, token: OPERATOR_TOKEN }) });

  const opened = async (): Promise<OpenedData | Refusal> => {
    const { database } = bench;
    return {
      ...bench,
      care: () =>
        Promise.resolve(
          readModelCare({
            feed: bench.log,
            database,
            projections,
            board: bench.projecting.board,
            clock: bench.clock,
            owner: 'cli',
            stopping: new AbortController().signal,
            failed: () => undefined,
          }),
        ),
      workers: () => Promise.resolve(bench.workerCare),
      close: () => Promise.resolve(),
    };
  };
  const withData = (argv: readonly string[]): Promise<Said> => say(argv, { openData: opened });

  it('makes people, credit, keys and channels through the server', async () => {
    const made = (await withServer(['users', 'create', 'cli@example.com', '--name', 'By hand', '--json'])).json();
    expect(made.password).to.match(/^\w{5}-/);
    expect((await withServer(['credit', 'grant', 'cli@example.com', '2.5', '--reason', 'test'])).out).to.include('$2.50');
    const key = (
      await withServer(['keys', 'create', 'cli@example.com', '--name', 'laptop', '--models', 'large, small', '--total', '1', '--json'])
    ).json();
    expect(key.secret).to.match(/^sk-ob-/);
    await bench.projecting.caughtUp();
    const [listed] = (await withServer(['keys', 'list', '--user', 'cli@example.com', '--json'])).json();
    expect(listed).to.include({ name: 'laptop', status: 'active' });
    expect(listed.restrictions.models).to.deep.equal(['large', 'small']);
    expect(listed.caps.total).to.equal('1000000000');
    expect((await withServer(['keys', 'revoke', key.tokenId as string, '--reason', 'lost'])).out).to.include('is revoked');
    expect((await withServer(['users', 'suspend', 'cli@example.com'])).code).to.equal(0);
    expect((await withServer(['users', 'reinstate', 'cli@example.com'])).code).to.equal(0);
    await bench.projecting.caughtUp();
    expect((await withServer(['users', 'list', '--search', 'cli@'])).out).to.match(
      /cli@example\.com +user +default +active +\$2\.50 +\$0\.00/,
    );
  });

  it('adds channels to providers, whose addresses it knows', async () => {
    const found = (await withServer(['providers', 'list', '--search', 'workers', '--json'])).json();
    expect(listed(found).map((row: { id: string }) => row.id)).to.deep.equal(['cloudflare-workers-ai']);
    expect((await withServer(['providers', 'list'])).out).to.match(/groq +Groq +https:\/\/api\.groq\.com\/openai\/v1 +chat/);
    const add = ['channels', 'add', '--name', 'Workers', '--models', 'x', '--no-key'];
    expect((await withServer(add)).err).to.include('--provider, --base-url or both');
    const workers = [...add, '--provider', 'cloudflare-workers-ai'];
    expect((await withServer(workers)).err).to.include('needs: account');
    expect((await withServer([...workers, '--blanks', 'account'])).err).to.include('name=value');
    const { channelId } = (await withServer([...workers, '--blanks', 'account=0a1b', '--json'])).json();
    await bench.projecting.caughtUp();
    const channel = listed((await withServer(['channels', 'list', '--json'])).json()).find(
      (row: { channelId: string }) => row.channelId === channelId,
    );
    expect(channel.settings.baseUrl).to.equal('https://api.cloudflare.com/client/v4/accounts/0a1b/ai/v1');
  });

  it('adds a channel to the sandbox, which has an address and wants no key', async () => {
    const stdin = 'sk-not-for-the-sandbox';
    const { channelId } = (
      await withServer(['channels', 'add', '--name', 'Sandbox', '--provider', 'sandbox', '--models', 'sandbox-echo', '--json'], { stdin })
    ).json();
    await bench.projecting.caughtUp();
    const channel = listed((await withServer(['channels', 'list', '--json'])).json()).find(
      (row: { channelId: string }) => row.channelId === channelId,
    );
    expect(channel.settings).to.include({ provider: 'sandbox', baseUrl: 'https://sandbox.invalid/v1' });
    expect(channel.keys).to.deep.equal([]);
  });

  it('shows what people and upstreams have written, and does nothing that is written there', async () => {
    const person = await bench.person('painter@example.com');
    const name = '\u{1b}]0;root\u{7}\u{1b}[2J\u{9b}31mred\u{202e}\nkey_fake  row';
    const { body: made } = await person.post('/api/keys', { name });
    const renamed = await person.call('PATCH', '/api/account', { body: { displayName: name } });
    await bench.projecting.caughtUp();
    // eslint-disable-next-line no-control-regex -- what a terminal obeys is what this is about
    const obeyed = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/;
    const { channelId } = (
      await withServer(['channels', 'add', '--name', name, '--base-url', 'https://api.example.com/v1', '--models', 'large', '--json'], {
        stdin: 'sk-upstream-0123456789',
      })
    ).json();
    await bench.projecting.caughtUp();
    const usual = bench.upstreamAnswer;
    bench.upstreamAnswer = { status: 500, body: name };
    for (const argv of [
      ['keys', 'list'],
      ['users', 'list'],
      ['channels', 'list'],
      ['channels', 'test', channelId as string],
      ['channels', 'export'],
      ['events', 'tail'],
      ['events', 'export'],
      ['events', 'show', renamed.body.position as string],
    ])
      for (const words of [argv, [...argv, '--json']]) {
        const { out, err } = await withServer(words);
        expect(out.length, words.join(' ')).to.be.above(0);
        expect(obeyed.test(out + err), words.join(' ')).to.equal(false);
      }
    const { out: table } = await withServer(['keys', 'list']);
    expect(table).to.not.match(/^key_fake/m);
    const rows = listed((await withServer(['keys', 'list', '--json'])).json());
    expect(rows.find((row: { tokenId: string }) => row.tokenId === made.tokenId).name, 'programs read it as it is').to.equal(name);
    bench.upstreamAnswer = usual;
  });

  it('takes secrets from standard input, and never from the line', async () => {
    const add = [
      'channels',
      'add',
      '--name',
      'Up',
      '--base-url',
      'https://api.example.com/v1/',
      '--models',
      'large=their-large,small',
      '--priority',
      '2',
    ];
    expect((await withServer(add)).err).to.include('There was no key on standard input');
    const { channelId } = (await withServer([...add, '--json'], { stdin: 'sk-upstream-0123456789\n' })).json();
    await bench.projecting.caughtUp();
    const channel = listed((await withServer(['channels', 'list', '--json'])).json()).find(
      (row: { channelId: string }) => row.channelId === channelId,
    );
    expect(channel.settings).to.deep.include({
      baseUrl: 'https://api.example.com/v1',
      priority: 2,
      models: [
        { model: 'large', upstreamModel: 'their-large' },
        { model: 'small', upstreamModel: 'small' },
      ],
    });
    expect(channel.keys[0].hint).to.equal('…6789');
    expect(await withServer(['channels', 'test', channelId as string])).to.include({ code: 0 });
    bench.upstreamAnswer = { status: 500, body: 'down' };
    const failed = await withServer(['channels', 'test', channelId as string]);
    expect(failed.code).to.equal(1);
    expect(failed.out).to.include('HTTP 500: down');
    expect(await withServer(['channels', 'disable', channelId as string])).to.include({ code: 0 });
    expect(await withServer(['channels', 'enable', channelId as string])).to.include({ code: 0 });
    expect(
      (await withServer(['users', 'create', 'in@example.com', '--password-stdin', '--json'], { stdin: 'between the lines\n' })).json()
        .password,
    ).to.equal(null);
  });

  it('says what is wrong with a document that is given to it, and where', async () => {
    for (const [argv, stdin, said] of [
      ['limits set', '[]', 'These are no rules of limits: Invalid input: expected object, received array.'],
      ['limits set', '{"rules":[]}', 'These are no rules of limits: whenStoreAway: '],
      ['routing set', '{}', 'These are no rules: Invalid input: expected array, received object.'],
      ['routing set', '[{"models":5}]', 'These are no rules: 0.models: '],
      ['channels import', '[]', 'These are no channels: Invalid input: expected object, received array.'],
    ] as const) {
      const { code, out, err } = await withServer(argv.split(' '), { stdin });
      expect({ code, out }, argv).to.deep.equal({ code: 2, out: '' });
      expect(err.startsWith(said), err).to.equal(true);
    }
  });

  it('ends with 3 where the server refuses, and says why', async () => {
    const { code, err } = await withServer(['users', 'create', 'ada@example.com']);
    expect(code).to.equal(3);
    expect(err)
      .to.include('already_exists')
      .and.match(/request req_/);
    expect(await withServer(['users', 'suspend', 'nobody@example.com'])).to.include({ code: 3 });
    expect(await withServer(['ledger', 'explain', 'req_none'])).to.include({ code: 3 });
  });

  for (const [where, run] of [
    ['through the server', (argv: readonly string[]) => withServer(argv)],
    ['on the data themselves', (argv: readonly string[]) => withData(argv)],
  ] as const) {
    describe(where, () => {
      it('shows a statement and explains a charge', async () => {
        const rows = (await run(['ledger', 'statement', 'ada@example.com', '--json'])).json();
        expect(listed(rows).map(({ kind, change, balance }: Record<string, string>) => [kind, change, balance])).to.deep.equal([
          ['charge', '-4500000', '1995500000'],
          ['grant', '2000000000', '2000000000'],
        ]);
        expect((await run(['ledger', 'statement', 'ada@example.com'])).out).to.include('-$0.0045');
        const { code, out } = await run(['ledger', 'explain', charged]);
        expect(code).to.equal(0);
        expect(out).to.include('4500000 nano-dollars').and.include('The rule gives what was charged.');
      });

      it('verifies the ledger', async () => {
        const { code, json } = await run(['ledger', 'verify', '--json']);
        expect(code).to.equal(0);
        expect(json()).to.include({ charges: 1, charged: '4500000', trialBalance: '0', broken: null });
      });

      it('shows events, one of them, and all of them', async () => {
        const tail = (await run(['events', 'tail', '--type', 'QuotaDebited', '--json'])).out.trimEnd().split('\n');
        expect(tail).to.have.length(1);
        const { position } = JSON.parse(tail[0] ?? '') as { position: string };
        expect((await run(['events', 'show', position, '--json'])).json().data.requestId).to.equal(charged);
        expect(await run(['events', 'show', '99999999'])).to.include({ code: 3 });
        const exported = (await run(['events', 'export', '--category', 'lease'])).out.trimEnd().split('\n');
        expect(exported).to.have.length(bench.eventsOf('lease').length);
      });

      it('says of names that no event has what they may have been', async () => {
        for (const [options, said] of [
          [['--type', 'quotadebit'], 'Events of the type quotadebit there are none. Did you mean QuotaDebited?'],
          [['--category', 'acount'], 'Streams of the category acount there are none. Did you mean account?'],
          [['--category', 'zzz'], 'There are: user, token, account'],
          [['--type', 'Typo', '--category', 'account'], 'Events of the type Typo there are none.'],
        ] as const)
          for (const command of ['tail', 'export']) {
            const { code, out, err } = await run(['events', command, ...options]);
            expect({ code, out }, err).to.deep.equal({ code: 2, out: '' });
            expect(err).to.include(said);
          }
        const follow = await run(['events', 'tail', '--follow', '--type', 'Typo']);
        expect(follow).to.include({ code: 2, out: '' });
        expect(await run(['events', 'tail', '--type', 'TaskFailed'])).to.include({ code: 0, err: 'There is no such event yet.\n' });
        expect(await run(['events', 'export', '--type', 'TaskFailed'])).to.include({ code: 0, out: '', err: '0 events.\n' });
      });

      it('looks after read models', async () => {
        expect((await run(['projections', 'list'])).out).to.include('journal');
        await bench.projecting.caughtUp();
        expect(await run(['projections', 'compare', 'journal'])).to.include({ code: 0 });
        expect(await run(['projections', 'rebuild', 'journal'])).to.include({ code: 0, err: 'journal is rebuilt.\n' });
        expect((await run(['projections', 'status', 'nothing'])).err).to.include('There is no read model nothing');
        expect(await run(['parked', 'list'])).to.include({ code: 0, out: 'Nothing is parked.\n' });
        expect(await run(['parked', 'retry', '7'])).to.include({ code: 3 });
        expect(await run(['parked', 'list', '--projection', 'journal', '--worker', 'x'])).to.include({ code: 2 });
      });

      it('looks after workers', async () => {
        const parkedIds = async (): Promise<string[]> =>
          ((await run(['parked', 'list', '--json'])).json() as unknown as { parkedId: string }[]).map(({ parkedId }) => parkedId);
        expect(await run(['workers', 'list'])).to.include({ code: 0 });
        await bench.database.transaction((tx) =>
          insertWork(
            tx,
            'test-worker',
            bench.log.events.slice(0, 2).map((event) => ({ event, attempts: 6, delayMs: null, error: 'no luck' })),
          ),
        );
        expect((await run(['parked', 'list', '--worker', 'test-worker'])).out).to.include('no luck');
        expect(await run(['workers', 'list'])).to.include({ code: 1 });
        const [first = '', second = ''] = await parkedIds();
        expect((await run(['parked', 'show', first])).out)
          .to.include('no luck')
          .and.to.include('"administratorId"');
        expect(await run(['parked', 'discard', first])).to.include({ code: 0 });
        expect(await run(['parked', 'discard', second])).to.include({ code: 0 });
        expect(await run(['parked', 'show', second])).to.include({ code: 3 });
        expect(await parkedIds()).to.deep.equal([]);
      });

      it('gives somebody a new password', async () => {
        const { password } = (await run(['admin', 'reset-password', 'ada@example.com', '--json'])).json();
        expect((await bench.client().signIn('ada@example.com', password as string)).status).to.equal(200);
        expect(await run(['admin', 'reset-password', 'nobody@example.com'])).to.include({ code: 3 });
      });
    });
  }

  it('writes the journal and the request log to files', async () => {
    const { log, appender, database, exportStore: store } = bench;
    const source = exportSource({ sql: database, board: bench.projecting.board });
    const working = startWorking({
      log,
      database,
      workers: [{ ...exportsWorker({ log, appender, source, store, clock: wallClock, keepMs: 1_000_000 }), from: 'start' }],
    });
    try {
      const files = new Map<string, Buffer>();
      const wrote = (path: string, content: Buffer): void => void files.set(path, content);
      const journal = await withServer(['ledger', 'export', '--user', 'ada@example.com', '--out', 'ada.csv.gz', '--json'], { wrote });
      expect(journal.code, journal.err).to.equal(0);
      const text = gunzipSync(files.get('ada.csv.gz') ?? Buffer.alloc(0)).toString('utf8');
      expect(text.trimEnd().split('\r\n')).to.have.length((journal.json().rows as number) + 1);
      expect(text).to.include('grant');
      const calls = await withServer(['exports', 'requests', '--format', 'jsonl'], { wrote });
      expect(calls.code, calls.err).to.equal(0);
      const [name = ''] = [...files.keys()].filter((path) => path.endsWith('.jsonl.gz'));
      expect(gunzipSync(files.get(name) ?? Buffer.alloc(0)).toString('utf8')).to.include(charged);
      expect((await withServer(['exports', 'list'])).out).to.include('completed');
      const exportId = name.split('.')[0] ?? '';
      expect(await withServer(['exports', 'download', exportId, '--out', 'again'], { wrote })).to.include({ code: 0 });
      expect(files.get('again')?.equals(files.get(name) ?? Buffer.alloc(0))).to.equal(true);
      expect(await withServer(['exports', 'cancel', exportId])).to.include({ code: 3 });
      expect(await withServer(['ledger', 'export', '--format', 'xml'])).to.include({ code: 2 });
    } finally {
      await working.stop();
    }
  });

  it('follows the log until it is interrupted', async () => {
    const interrupt = new AbortController();
    let began: () => void = () => undefined;
    const beginning = new Promise<void>((resolve) => (began = resolve));
    const following = withServer(['events', 'tail', '--follow', '--limit', '1', '--type', 'CreditGranted', '--json'], {
      interrupted: interrupt.signal,
      watch: (out) => {
        began();
        if (out.includes('seen live')) interrupt.abort();
      },
    });
    await beginning;
    const { userId } = await bench.person('followed@example.com');
    done(
      await bench.book.execute(userId, { kind: 'grantCredit', amount: dollars(1), source: 'admin', reason: 'seen live' }, bench.context()),
    );
    const { code, out } = await following;
    expect(code).to.equal(0);
    expect(
      out
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { data: { reason: string } }).data.reason)
        .slice(1),
    ).to.deep.equal(['seen live']);
  });

  it('finds a ledger that was tampered with, and ends with 1', async () => {
    const data = done(await opened());
    const tampered: OpenedData = {
      ...data,
      log: {
        ...data.log,
        async *readAll(options) {
          for await (const event of data.log.readAll(options))
            yield event.type === 'QuotaDebited' ? { ...event, metadata: event.metadata, data: { ...event.data, amount: '1' } } : event;
        },
      },
    };
    const { code, out } = await say(['ledger', 'verify'], { openData: () => Promise.resolve(tampered) });
    expect(code).to.equal(1);
    expect(out).to.include('BROKEN: every charge is what its price list says').and.include('QuotaDebited on lease-lse_cli');
  });
});
