import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import gossip from '@eventstore/db-client/generated/gossip_pb.js';
import gossipService from '@eventstore/db-client/generated/gossip_grpc_pb.js';
import features from '@eventstore/db-client/generated/serverfeatures_pb.js';
import featuresService from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import type { SupportedMethods } from '@eventstore/db-client/generated/serverfeatures_pb.js';
import type { ClusterInfo } from '@eventstore/db-client/generated/gossip_pb.js';
import streamsService from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type { AppendReq, AppendResp, BatchAppendReq, BatchAppendResp } from '@eventstore/db-client/generated/streams_pb.js';
import { Metadata, Server, ServerCredentials, status } from '@grpc/grpc-js';
import type { sendUnaryData, ServerDuplexStream, ServerReadableStream, ServerUnaryCall } from '@grpc/grpc-js';
import { setTimeout as pause } from 'node:timers/promises';
import { Faults } from './faults.ts';
import { MemoryStore } from './memory-store.ts';
import type { Expected, ProposedRecord } from './memory-store.ts';
import { appendAnswer, batchAnswer, proposedOf, streamNameOf } from './messages.ts';
import { serveRead } from './reading.ts';
import type { ReadCall } from './reading.ts';

/** Values of `ClusterInfo.MemberInfo.VNodeState`. */
const STATE = { leader: 8, follower: 6 } as const;

export interface EventStoreServerOptions {
  /** Any free one unless given. */
  readonly port?: number;
  /** Shared by the nodes of one cluster; a fresh one unless given. */
  readonly store?: MemoryStore;
  /** As `MaxAppendSize` of a server, in bytes. */
  readonly maxAppendBytes?: number;
  readonly tls?: { readonly key: Buffer; readonly certificate: Buffer };
  /** Whom calls must come from, over TLS. */
  readonly credentials?: { readonly user: string; readonly password: string };
  /** Asked whenever it matters; a node on its own leads. */
  readonly leader?: () => EventStoreServer;
  /** All nodes of the cluster, for gossip. */
  readonly members?: () => readonly EventStoreServer[];
}

/** A server that speaks EventStoreDB's protocol over a real socket and keeps its events in memory. */
export interface EventStoreServer {
  readonly port: number;
  readonly connectionString: string;
  readonly store: MemoryStore;
  readonly faults: Faults;
  /** Names of the calls that came, oldest first. */
  readonly calls: readonly string[];
  /** Cuts every connection there is. */
  cutAll(): void;
  /** Takes the server away: connections are cut, new ones refused; the events stay. */
  stop(): Promise<void>;
  /** Brings it back at the same port. */
  start(): Promise<void>;
  /** For good. */
  close(): Promise<void>;
}

interface Options {
  hasNoStream(): boolean;
  hasAny(): boolean;
  hasStreamExists(): boolean;
}

const expectedOf = (options: Options, revision: () => string): Expected => {
  if (options.hasNoStream()) return 'no_stream';
  if (options.hasAny()) return 'any';
  return options.hasStreamExists() ? 'stream_exists' : Number(revision());
};

/** Starts a node on a free port of the loopback. */
export const startEventStoreServer = async (options: EventStoreServerOptions = {}): Promise<EventStoreServer> => {
  const store = options.store ?? new MemoryStore();
  const faults = new Faults();
  const calls: string[] = [];
  const sockets = new Set<Socket>();
  const maxAppendBytes = options.maxAppendBytes ?? 16_777_216;
  const grpc = new Server({ 'grpc.max_receive_message_length': 17 * 1024 * 1024 });

  const leader = (): EventStoreServer => options.leader?.() ?? self;

  const notLeader = (): Error => {
    const metadata = new Metadata();
    metadata.set('exception', 'not-leader');
    metadata.set('leader-endpoint-host', '127.0.0.1');
    metadata.set('leader-endpoint-port', leader().port.toString());
    return Object.assign(new Error('Leader info available'), { code: status.NOT_FOUND, details: 'Leader info available', metadata });
  };

  /** What stands against a call at all. */
  const refusal = (name: string, metadata: Metadata): Error | undefined => {
    calls.push(name);
    if (options.credentials !== undefined) {
      const { user, password } = options.credentials;
      const wanted = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
      if (metadata.get('authorization')[0] !== wanted) {
        return Object.assign(new Error('Unauthenticated'), { code: status.UNAUTHENTICATED, details: 'Unauthenticated' });
      }
    }
    return metadata.get('requires-leader')[0] === 'true' && leader() !== self ? notLeader() : undefined;
  };

  const cutAll = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };

  const read = (call: ReadCall): void => {
    const refused = refusal('read', call.metadata);
    if (refused !== undefined) return void call.emit('error', refused);
    if (faults.silentReads) return;
    void (faults.answerDelayMs > 0 ? pause(faults.answerDelayMs) : Promise.resolve())
      .then(() => serveRead(store, call, faults))
      .then(
        () => call.end(),
        (error: unknown) => call.emit('error', error),
      );
  };

  const sizeOf = (events: readonly ProposedRecord[]): number =>
    events.reduce((sum, { data, metadata }) => sum + data.length + metadata.length, 0);

  const batchAppend = (call: ServerDuplexStream<BatchAppendReq, BatchAppendResp>): void => {
    const refused = refusal('batchAppend', call.metadata);
    if (refused !== undefined) return void call.emit('error', refused);
    const open = new Map<string, { readonly stream: string; readonly expected: Expected; readonly events: ProposedRecord[] }>();
    // One answer after the other, however slow they are.
    let turn: Promise<unknown> = Promise.resolve();
    const answer = (message: BatchAppendResp): void => {
      turn = turn
        .then(() => (faults.answerDelayMs > 0 ? pause(faults.answerDelayMs) : undefined))
        .then(() => void (call.writable && !call.cancelled && call.write(message)));
    };
    call.on('data', (request: BatchAppendReq) => {
      const id = Buffer.from(request.getCorrelationId()?.serializeBinary() ?? []).toString('hex');
      const begun = request.getOptions();
      if (begun !== undefined) {
        open.set(id, {
          stream: streamNameOf(begun.getStreamIdentifier()),
          expected: expectedOf(begun, () => begun.getStreamPosition()),
          events: [],
        });
      }
      const append = open.get(id);
      if (append === undefined) return;
      append.events.push(...request.getProposedMessagesList().map(proposedOf));
      if (!request.getIsFinal()) return;
      open.delete(id);
      const fault = faults.takeAppend();
      switch (fault) {
        case 'cut-before':
          return cutAll();
        case 'end-before':
          return void call.end();
        case 'error-before':
          return void call.emit(
            'error',
            Object.assign(new Error('Server is not ready'), { code: status.UNAVAILABLE, details: 'Server is not ready' }),
          );
        case 'not-leader':
          return void call.emit('error', notLeader());
        case 'refused':
          return answer(batchAnswer(request.getCorrelationId(), append.stream, { result: 'refused', error: 'Unknown' }));
        case 'silent-before':
          return;
        case 'cut-after':
        case 'silent-after':
        case undefined:
          break;
      }
      if (sizeOf(append.events) > maxAppendBytes) {
        return answer(batchAnswer(request.getCorrelationId(), append.stream, { result: 'too_large', most: maxAppendBytes }));
      }
      const result = store.write(append.stream, append.expected, append.events);
      if (fault === 'cut-after') return cutAll();
      if (fault === 'silent-after') return;
      answer(batchAnswer(request.getCorrelationId(), append.stream, result));
    });
    call.on('end', () => void turn.then(() => call.end()));
    call.on('error', () => undefined);
  };

  const append = (call: ServerReadableStream<AppendReq, AppendResp>, callback: sendUnaryData<AppendResp>): void => {
    const refused = refusal('append', call.metadata);
    if (refused !== undefined) return callback(refused);
    let header: AppendReq.Options | undefined;
    const events: ProposedRecord[] = [];
    call.on('data', (request: AppendReq) => {
      header ??= request.getOptions();
      const message = request.getProposedMessage();
      if (message !== undefined) events.push(proposedOf(message));
    });
    call.on('end', () => {
      const to = header;
      if (to === undefined) return callback(Object.assign(new Error('An append without options.'), { code: status.INVALID_ARGUMENT }));
      const result = store.write(
        streamNameOf(to.getStreamIdentifier()),
        expectedOf(to, () => to.getRevision()),
        events,
      );
      callback(null, appendAnswer(result));
    });
  };

  const getSupportedMethods = (call: ServerUnaryCall<unknown, SupportedMethods>, callback: sendUnaryData<SupportedMethods>): void => {
    const refused = refusal('getSupportedMethods', call.metadata);
    if (refused !== undefined) return callback(refused);
    const answer = new features.SupportedMethods();
    answer.setEventStoreServerVersion('23.10.0');
    for (const name of ['append', 'batchappend', 'read']) {
      const method = new features.SupportedMethod();
      method.setServiceName('event_store.client.streams.streams');
      method.setMethodName(name);
      answer.addMethods(method);
    }
    callback(null, answer);
  };

  const gossipRead = (_: ServerUnaryCall<unknown, ClusterInfo>, callback: sendUnaryData<ClusterInfo>): void => {
    calls.push('gossip');
    const answer = new gossip.ClusterInfo();
    for (const node of options.members?.() ?? [self]) {
      const endPoint = new gossip.EndPoint();
      endPoint.setAddress('127.0.0.1');
      endPoint.setPort(node.port);
      const member = new gossip.MemberInfo();
      member.setIsAlive(true);
      member.setState(node === leader() ? STATE.leader : STATE.follower);
      member.setTimeStamp('0');
      member.setHttpEndPoint(endPoint);
      answer.addMembers(member);
    }
    callback(null, answer);
  };

  const startGrpc = async (): Promise<number> => {
    grpc.addService(streamsService.StreamsService, { read, batchAppend, append });
    grpc.addService(featuresService.ServerFeaturesService, { getSupportedMethods });
    grpc.addService(gossipService.GossipService, { read: gossipRead });
    const credentials =
      options.tls === undefined
        ? ServerCredentials.createInsecure()
        : ServerCredentials.createSsl(null, [{ private_key: options.tls.key, cert_chain: options.tls.certificate }]);
    return new Promise((resolve, reject) =>
      grpc.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error === null ? resolve(bound) : reject(error))),
    );
  };

  const grpcPort = await startGrpc();
  // Clients come through a relay, whose connections can be cut and whose port can be shut.
  const relay = createServer((client) => {
    const server = connect(grpcPort, '127.0.0.1');
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  const listen = (at: number): Promise<void> =>
    new Promise((resolve, reject) => {
      relay.once('error', reject);
      relay.listen(at, '127.0.0.1', () => {
        relay.off('error', reject);
        resolve();
      });
    });
  const shut = (): Promise<void> =>
    new Promise((resolve) => {
      relay.close(() => resolve());
      cutAll();
    });
  await listen(options.port ?? 0);
  const { port } = relay.address() as AddressInfo;

  const self: EventStoreServer = {
    port,
    connectionString: `esdb://127.0.0.1:${port}?tls=false`,
    store,
    faults,
    calls,
    cutAll,
    start: () => listen(port),
    stop: shut,
    close: async () => {
      if (relay.listening) await shut();
      grpc.forceShutdown();
    },
  };
  return self;
};
