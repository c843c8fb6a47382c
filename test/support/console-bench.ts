import { request as httpRequest, type IncomingMessage } from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express from 'express';
import type { ExportStore } from '../../commands/ports/export-store.ts';
import { directoryStore } from '../../infra/exports/directory-store.ts';
import { initialise, type FirstRun } from '../../commands/installation/initialise.ts';
import { registerUser } from '../../commands/users/register-user.ts';
import { dollars } from '../../domain/ledger/money.ts';
import { createConsole } from '../../gateways/console/create-console.ts';
import type { UiFile } from '../../gateways/console/ui-files.ts';
import type { Upstream, UpstreamRequest } from '../../gateways/ports/upstream.ts';
import type { WorkerCare } from '../../gateways/ports/worker-care.ts';
import type { RequestLine } from '../../gateways/ports/request-logger.ts';
import { masterKeyOf } from '../../infra/crypto/master-key.ts';
import { sessionTokens } from '../../infra/crypto/session-tokens.ts';
import { createHttpServer } from '../../infra/http/http-server.ts';
import { timeSortedIds } from '../../infra/ids.ts';
import { workerCare } from '../../infra/workers/worker-care.ts';
import { projections } from '../../projections/registry.ts';
import type { ReadModelDatabase } from '../../projections/ports/read-model-database.ts';
import type { Role } from '../../schemas/events/user.ts';
import type { UserId } from '../../schemas/ids.ts';
import type { Money } from '../../schemas/money.ts';
import { commandBench, type CommandBench } from './command-bench.ts';
import { startProjecting, type Projecting } from './projecting.ts';
import { emptyReadModels } from './read-models.ts';
import { done } from './refused.ts';

/** A worker that nobody runs: what it has parked is for a test to say. */
const TEST_WORKERS = [{ name: 'test-worker', types: ['Registered'] }] as const;

export const OPERATOR_TOKEN = 'ob-operator-test';
export const PASSWORD = 'between the lines';

export interface Answer {
  readonly status: number;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- a test reads whatever came
  readonly body: any;
  readonly text: string;
  readonly headers: IncomingMessage['headers'];
}

export interface Asked {
  readonly body?: unknown;
  /** As it is, whatever it is. */
  readonly rawBody?: string | Buffer;
  readonly headers?: Readonly<Record<string, string | undefined>>;
}

/** Somebody at a browser: keeps the cookie and sends the token, as the console's pages do. */
export class ConsoleClient {
  readonly #port: number;
  cookie: string | undefined;
  csrf: string | undefined;
  bearer: string | undefined;

  constructor(port: number) {
    this.#port = port;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** The response itself, for what does not end. */
  open(method: string, path: string, { body, rawBody, headers = {} }: Asked = {}): Promise<IncomingMessage> {
    const sent: Record<string, string> = {};
    const text = rawBody ?? (body === undefined ? undefined : JSON.stringify(body));
    if (text !== undefined) sent['content-type'] = 'application/json';
    if (this.cookie !== undefined) sent.cookie = this.cookie;
    if (this.csrf !== undefined && method !== 'GET') sent['x-csrf-token'] = this.csrf;
    if (this.bearer !== undefined) sent.authorization = `Bearer ${this.bearer}`;
    for (const [name, value] of Object.entries(headers)) {
      if (value === undefined) delete sent[name];
      else sent[name] = value;
    }
    return new Promise((resolve, reject) => {
      const request = httpRequest({ host: '127.0.0.1', port: this.#port, method, path, headers: sent, agent: false }, resolve);
      request.on('error', reject);
      request.end(text);
    });
  }

  async call(method: string, path: string, asked: Asked = {}): Promise<Answer> {
    const response = await this.open(method, path, asked);
    const chunks: Buffer[] = [];
    for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString('utf8');
    const [cookie] = response.headers['set-cookie'] ?? [];
    if (cookie !== undefined) this.cookie = cookie.startsWith('oblivious=;') ? undefined : cookie.split(';')[0];
    const body: unknown =
      response.headers['content-type']?.startsWith('application/json') === true && text !== '' ? JSON.parse(text) : undefined;
    return { status: response.statusCode ?? 0, body, text, headers: response.headers };
  }

  get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return this.call('GET', path, { headers });
  }

  post(path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return this.call('POST', path, { body, headers });
  }

  async signIn(email: string, password: string): Promise<Answer> {
    const answer = await this.call('POST', '/api/session', { body: { email, password } });
    if (answer.status === 200) this.csrf = (answer.body as { readonly csrfToken: string }).csrfToken;
    return answer;
  }
}

export interface ConsoleBench extends CommandBench {
  readonly port: number;
  readonly firstRun: FirstRun;
  readonly projecting: Projecting;
  readonly database: ReadModelDatabase;
  readonly workerCare: WorkerCare;
  readonly exportStore: ExportStore;
  readonly lines: readonly RequestLine[];
  readonly failures: readonly { readonly what: string; readonly error: unknown }[];
  /** What the upstream was asked, and what it answers: an outcome for a channel's test. */
  readonly asked: readonly UpstreamRequest[];
  upstreamAnswer: { readonly status: number; readonly body: string } | { readonly fault: string };
  /** Nobody yet. */
  client(): ConsoleClient;
  admin(): Promise<ConsoleClient>;
  operator(): ConsoleClient;
  /** A new person, signed in. */
  person(email: string, role?: Role): Promise<ConsoleClient & { readonly userId: UserId }>;
  close(): Promise<void>;
}

/** The console as a server runs it, over a log in memory and the run's embedded read models: for one test at a time. */
export const consoleBench = async ({
  uiFiles = null,
  publicUrl,
}: { readonly uiFiles?: ReadonlyMap<string, UiFile> | null; readonly publicUrl?: string } = {}): Promise<ConsoleBench> => {
  const bench = { ...commandBench(), ids: timeSortedIds };
  const { database } = await emptyReadModels();
  const projecting = startProjecting({ feed: bench.log, database });
  const stopping = new AbortController();
  const lines: RequestLine[] = [];
  const failures: { what: string; error: unknown }[] = [];
  const asked: UpstreamRequest[] = [];
  const firstRun = done(
    await initialise(
      { ...bench, wait: () => Promise.resolve(), reveal: () => Promise.resolve() },
      {
        adminEmail: 'admin@example.com',
        trialCredit: dollars(5),
        priceList: {
          title: 'First',
          asOf: '2026-01-01',
          source: 'test',
          models: [
            {
              model: 'large',
              kind: 'chat',
              rates: { input: 2_500_000_000n as Money, output: 10_000_000_000n as Money },
              maxOutputTokens: 4_096,
            },
            { model: 'small', kind: 'chat', rates: { input: 150_000_000n as Money, output: 600_000_000n as Money } },
          ],
        },
        channels: [],
      },
    ),
  );
  if (typeof firstRun === 'string') throw new Error('a log in memory is never initialised');

  const result: Pick<ConsoleBench, 'upstreamAnswer'> = { upstreamAnswer: { status: 200, body: '{"choices":[]}' } };
  const upstream: Upstream = {
    send: (request, listener) => {
      asked.push(request);
      const answer = result.upstreamAnswer;
      queueMicrotask(() => {
        if ('fault' in answer) return listener.failed({ kind: 'unreachable', message: answer.fault });
        listener.headers(answer.status, {});
        listener.data(Buffer.from(answer.body));
        listener.end();
      });
      return { resume: () => undefined, abort: () => undefined };
    },
  };

  const workers = workerCare({ workers: TEST_WORKERS, feed: bench.log, database, clock: bench.clock });
  const exportDirectory = mkdtempSync(join(tmpdir(), 'oblivious-test-exports-'));
  const exportStore = directoryStore(exportDirectory);
  const app = express();
  const http = createHttpServer({ app, ids: timeSortedIds });
  const port = await http.listen(0, '127.0.0.1');
  app.use(
    createConsole({
      reading: { sql: database, board: projecting.board },
      ...bench,
      upstream,
      sessionTokens: sessionTokens(masterKeyOf(Buffer.alloc(32, 1))),
      operatorToken: OPERATOR_TOKEN,
      database,
      board: projecting.board,
      projections,
      workers,
      exportStore,
      requestLogger: { log: (line) => void lines.push(line) },
      processName: 'test',
      shared: null,
      failed: (what, error) => void failures.push({ what, error }),
      stopping: stopping.signal,
      routingSight: null,
      sandboxUrl: () => null,
      uiFiles,
      installation: {
        version: '1.2.3',
        profile: 'embedded',
        url: publicUrl ?? `http://127.0.0.1:${port}`,
        publicUrl,
        sandbox: false,
        settings: { PORT: '0' },
      },
    }),
  );

  const client = (): ConsoleClient => new ConsoleClient(port);
  const signedIn = async (email: string, password: string): Promise<ConsoleClient> => {
    const person = client();
    const { status, text } = await person.signIn(email, password);
    if (status !== 200) throw new Error(`${email} could not sign in: ${text}`);
    return person;
  };
  await projecting.caughtUp();
  return Object.assign(result, bench, {
    port,
    firstRun,
    projecting,
    database,
    workerCare: workers,
    exportStore,
    lines,
    failures,
    asked,
    client,
    admin: () => signedIn('admin@example.com', firstRun.adminPassword),
    operator: () => Object.assign(client(), { bearer: OPERATOR_TOKEN }),
    person: async (email: string, role: Role = 'user') => {
      const { userId } = done(
        await registerUser(
          bench,
          { email, displayName: email, role, group: 'default', timeZone: 'UTC', password: PASSWORD },
          bench.context(),
        ),
      );
      return Object.assign(await signedIn(email, PASSWORD), { userId });
    },
    close: async () => {
      stopping.abort();
      http.closeAll();
      await http.close();
      await projecting.stop();
      rmSync(exportDirectory, { recursive: true, force: true });
    },
  });
};
