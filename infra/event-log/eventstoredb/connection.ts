import { EventStoreDBClient } from '@eventstore/db-client';
import streamsService from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type { StreamsClient } from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type { BatchAppendReq, BatchAppendResp, ReadReq, ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import type { CallOptions, ClientDuplexStream, ClientReadableStream, Metadata } from '@grpc/grpc-js';
import { toError } from '../log-fault.ts';

export type BatchAppendCall = ClientDuplexStream<BatchAppendReq, BatchAppendResp>;

export interface ReadCallOptions {
  /** For the whole call, in ms; a subscription has none. */
  readonly deadlineMs?: number;
  /** Ends the call, quietly. */
  readonly signal?: AbortSignal;
}

/**
 * The parts of the client that are used: where the server is, how it is spoken to, and whom to turn to when it says that it is not the
 * leader. The calls above these are not: their batch appends share one failure domain in the whole process, know no deadline, and leave
 * rejections unhandled; their subscriptions tell of checkpoints before the events that lie before them.
 */
interface ClientParts {
  GRPCStreamCreator<Call>(stub: unknown, name: string, start: (stub: StreamsClient) => Call): () => Promise<Call>;
  callArguments(base: { readonly requiresLeader: boolean }, options: CallOptions): [Metadata, CallOptions];
  handleError(stub: unknown, error: Error): Promise<void>;
  getChannel(): Promise<{ close(): void }>;
  dispose(): Promise<void>;
}

/** The server did not answer in time; whether it did what it was asked is not known. */
export class DeadlineExceeded extends Error {
  constructor(ms: number) {
    super(`EventStoreDB did not answer within ${ms} ms.`);
    this.name = 'DeadlineExceeded';
  }
}

/** What the client understands beside hosts and credentials, in lower case. */
const OPTIONS: ReadonlySet<string> = new Set(
  [
    'connectionName',
    'defaultDeadline',
    'discoveryInterval',
    'gossipTimeout',
    'keepAliveInterval',
    'keepAliveTimeout',
    'maxDiscoverAttempts',
    'nodePreference',
    'tls',
    'tlsCAFile',
    'tlsVerifyCert',
    'userCertFile',
    'userKeyFile',
  ].map((name) => name.toLowerCase()),
);

/**
 * The client writes what it does not understand to standard error, with the whole string and the password in it, and puts it into its
 * errors: so neither may reach anybody.
 */
const clientOf = (connectionString: string): ClientParts => {
  const query = /\?(.*)$/s.exec(connectionString)?.[1] ?? '';
  for (const pair of query.split('&')) {
    const [name = ''] = pair.split('=');
    if (name !== '' && !OPTIONS.has(name.toLowerCase())) {
      throw new Error(`The connection string of EventStoreDB has an option that is not known: ${name.slice(0, 40)}.`);
    }
  }
  try {
    return EventStoreDBClient.connectionString(connectionString) as unknown as ClientParts;
  } catch (thrown) {
    const error = toError(thrown);
    // Of the two that may be said: a file that is not there. Anything else quotes the string.
    const why = 'connectionString' in error ? 'it is malformed' : error.message;
    throw new Error(`The connection string of EventStoreDB cannot be used: ${why}.`);
  }
};

const isDiscovered = /^esdb\+discover:|,/;

/** The same servers, but whichever is preferred in the string, the leader is spoken to. */
export const toLeader = (connectionString: string): string => {
  const [servers = '', query = ''] = connectionString.split('?', 2);
  const others = query.split('&').filter((pair) => pair !== '' && !/^nodePreference=/i.test(pair));
  if (isDiscovered.test(servers)) others.push('nodePreference=leader');
  return others.length === 0 ? servers : `${servers}?${others.join('&')}`;
};

const within = async <T>(work: Promise<T>, ms: number, late: (value: T) => void): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  let expired = false;
  const expiry = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      expired = true;
      reject(new DeadlineExceeded(ms));
    }, ms);
  });
  work.then(
    (value) => {
      if (expired) late(value);
    },
    () => undefined,
  );
  try {
    return await Promise.race([work, expiry]);
  } finally {
    clearTimeout(timer);
  }
};

/** One way to the server, made when first needed and made anew after a loss. */
export class Connection {
  readonly #connectionString: string;
  readonly #requiresLeader: boolean;
  readonly #openMs: number;
  #client: ClientParts | undefined;
  #closed = false;

  /** `openMs` bounds how long it may take to find a server. @throws when the connection string is malformed. */
  constructor(connectionString: string, { requiresLeader, openMs }: { readonly requiresLeader: boolean; readonly openMs: number }) {
    this.#connectionString = connectionString;
    this.#requiresLeader = requiresLeader;
    this.#openMs = openMs;
    this.#client = this.#make();
  }

  #make(): ClientParts {
    const client = clientOf(this.#connectionString);
    const handle = client.handleError.bind(client);
    // Nobody awaits it there; with a cluster out of reach its failure would end the process.
    client.handleError = (stub, error) => handle(stub, error).catch(() => undefined);
    return client;
  }

  async #open<Call extends { cancel(): void }>(name: string, start: (stub: StreamsClient, client: ClientParts) => Call): Promise<Call> {
    if (this.#closed) throw new Error('The event log is closed.');
    const client = (this.#client ??= this.#make());
    const opening = client.GRPCStreamCreator(streamsService.StreamsClient, name, (stub) => start(stub, client))();
    try {
      return await within(opening, this.#openMs, (call) => call.cancel());
    } catch (thrown) {
      if (thrown instanceof DeadlineExceeded) this.renew();
      throw toError(thrown);
    }
  }

  /** Yields the server's messages, in the order in which it sent them. */
  async *read(request: ReadReq, { deadlineMs, signal }: ReadCallOptions): AsyncGenerator<ReadResp, void, undefined> {
    const deadline = deadlineMs === undefined ? Infinity : Date.now() + deadlineMs;
    const call = await this.#open<ClientReadableStream<ReadResp>>('read', (stub, client) =>
      stub.read(request, ...client.callArguments({ requiresLeader: this.#requiresLeader }, { deadline })),
    );
    // Once nobody reads on, the end of a call is no news.
    call.on('error', () => undefined);
    const cancel = (): void => call.cancel();
    if (signal?.aborted === true) cancel();
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      for await (const message of call) yield message as ReadResp;
    } catch (thrown) {
      if (signal?.aborted !== true) throw toError(thrown);
    } finally {
      signal?.removeEventListener('abort', cancel);
      call.cancel();
    }
  }

  /** The stream that appends travel on. It has no deadline of its own: each append on it has one. */
  batchAppend(): Promise<BatchAppendCall> {
    return this.#open<BatchAppendCall>('batchAppend', (stub, client) =>
      stub.batchAppend(...client.callArguments({ requiresLeader: this.#requiresLeader }, { deadline: Infinity })),
    );
  }

  /** Leaves a server that has gone silent: the next call looks for one anew. Calls under way fail. */
  renew(): void {
    const client = this.#client;
    this.#client = undefined;
    if (client !== undefined) void this.#leave(client);
  }

  async #leave(client: ClientParts): Promise<void> {
    try {
      await client.dispose();
      (await client.getChannel()).close();
    } catch {
      // It was not connected.
    }
  }

  close(): void {
    this.#closed = true;
    this.renew();
  }
}
