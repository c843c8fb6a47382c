import type { Container, ServiceIdentifier } from 'inversify';
import type { AppendQueue } from '../../commands/append-queue.ts';
import type { AccountBook } from '../../commands/ledger/account-book.ts';
import type { LeaseKeeper } from '../../commands/ledger/lease-keeper.ts';
import type { LeaseSweeper } from '../../commands/ledger/lease-sweeper.ts';
import type { ApiKeys } from '../../commands/ports/api-keys.ts';
import type { EventLog } from '../../commands/ports/event-log.ts';
import type { Failpoints } from '../../commands/ports/failpoints.ts';
import type { Passwords } from '../../commands/ports/passwords.ts';
import type { SecretBox } from '../../commands/ports/secret-box.ts';
import type { RequestLogger } from '../../gateways/ports/request-logger.ts';
import type { SessionTokens } from '../../gateways/ports/session-tokens.ts';
import type { Sandbox } from '../../gateways/sandbox/sandbox-server.ts';
import type { CallsInFlight } from '../../gateways/relay/calls-in-flight.ts';
import type { FileDesk } from '../../gateways/relay/files/file-desk.ts';
import type { TaskDesk } from '../../gateways/relay/tasks/task-desk.ts';
import type { PositionBoard } from '../../projections/engine/position-board.ts';
import type { Projector } from '../../projections/engine/projector.ts';
import type { RecordsProjector } from '../../projections/engine/records-projector.ts';
import type { Config } from '../../schemas/config.ts';
import type { OpenedBlobs } from '../blobs/open-blobs.ts';
import type { MasterKey } from '../crypto/master-key.ts';
import type { PictureSource } from '../../gateways/ports/picture-source.ts';
import type { EgressGuard } from '../egress/guard.ts';
import type { DataDirectory } from '../home/data-directory.ts';
import type { ProgramLog } from '../logging/logger.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { RedisLink } from '../redis/redis-link.ts';
import type { ReadModels } from '../read-models/read-models.ts';
import type { ClosableTokenCounter } from '../token-counter/token-counter.ts';
import type { LateEmbedder } from '../vectors/late-embedder.ts';
import type { OpenedVectors } from '../vectors/open-vectors.ts';
import type { OpenedWorkers } from '../workers/open-workers.ts';
import type { UpstreamPools } from '../upstream/upstream-pools.ts';

const identifier = <Service>(name: string): ServiceIdentifier<Service> => Symbol.for(`oblivious.${name}`);

/** What the container can be asked for. */
export const services = {
  processName: identifier<string>('processName'),
  config: identifier<Config>('config'),
  dataDirectory: identifier<DataDirectory>('dataDirectory'),
  programLog: identifier<ProgramLog>('programLog'),
  metrics: identifier<Metrics>('metrics'),
  failpoints: identifier<Failpoints>('failpoints'),
  masterKey: identifier<MasterKey>('masterKey'),
  secretBox: identifier<SecretBox>('secretBox'),
  apiKeys: identifier<ApiKeys>('apiKeys'),
  passwords: identifier<Passwords>('passwords'),
  sessionTokens: identifier<SessionTokens>('sessionTokens'),
  egressGuard: identifier<EgressGuard>('egressGuard'),
  pictures: identifier<PictureSource | null>('pictures'),
  hookGuard: identifier<EgressGuard>('hookGuard'),
  eventLog: identifier<EventLog>('eventLog'),
  appendQueue: identifier<AppendQueue>('appendQueue'),
  accountBook: identifier<AccountBook>('accountBook'),
  leaseKeeper: identifier<LeaseKeeper>('leaseKeeper'),
  leaseSweeper: identifier<LeaseSweeper>('leaseSweeper'),
  readModels: identifier<ReadModels>('readModels'),
  positionBoard: identifier<PositionBoard>('positionBoard'),
  projector: identifier<Projector>('projector'),
  recordsProjector: identifier<RecordsProjector | null>('recordsProjector'),
  sandbox: identifier<Sandbox | null>('sandbox'),
  upstreamPools: identifier<UpstreamPools>('upstreamPools'),
  tokenCounter: identifier<ClosableTokenCounter>('tokenCounter'),
  redis: identifier<RedisLink | null>('redis'),
  workers: identifier<OpenedWorkers>('workers'),
  requestLogger: identifier<RequestLogger>('requestLogger'),
  blobs: identifier<OpenedBlobs>('blobs'),
  lateEmbedder: identifier<LateEmbedder>('lateEmbedder'),
  vectors: identifier<OpenedVectors>('vectors'),
  fileDesk: identifier<FileDesk>('fileDesk'),
  taskDesk: identifier<TaskDesk>('taskDesk'),
  callsInFlight: identifier<CallsInFlight>('callsInFlight'),
} as const;

/** Gives out what the container makes. */
export type Services = Pick<Container, 'get' | 'getAsync'>;
