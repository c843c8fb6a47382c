import type { Tracer } from '@opentelemetry/api';
import type { ApiKeys } from '../../commands/ports/api-keys.ts';
import type { Clock } from '../../commands/ports/clock.ts';
import type { IdSource } from '../../commands/ports/id-source.ts';
import type { SecretBox } from '../../commands/ports/secret-box.ts';
import type { BodyFiles } from '../ports/body-files.ts';
import type { Directory } from '../ports/directory.ts';
import type { FrameSockets } from '../ports/frame-sockets.ts';
import type { IdempotencyClaims } from '../ports/idempotency-claims.ts';
import type { KeyStandings } from '../ports/key-standing.ts';
import type { LimitCounters } from '../ports/limit-counters.ts';
import type { LimitPolicies } from '../ports/limit-policies.ts';
import type { PictureSource } from '../ports/picture-source.ts';
import type { RelayMetrics } from '../ports/relay-metrics.ts';
import type { RequestLogger } from '../ports/request-logger.ts';
import type { SharedEvents } from '../ports/shared-events.ts';
import type { Spending } from '../ports/spending.ts';
import type { Stopwatch } from '../ports/stopwatch.ts';
import type { TokenCounter } from '../ports/token-counter.ts';
import type { Upstream } from '../ports/upstream.ts';
import type { ChannelStates } from './channel-states.ts';
import type { CallsInFlight } from './calls-in-flight.ts';
import type { Archive } from './responses/archive.ts';
import type { RelayLimits } from './relay-limits.ts';
import type { SharedLimits } from './shared-limits.ts';
import type { FileDesk } from './files/file-desk.ts';
import type { VectorDesk } from './vector-stores/vector-desk.ts';
import type { TaskDesk } from './tasks/task-desk.ts';

/** Everything that the relay needs of the rest of the program. */
export interface RelayDeps {
  readonly directory: Directory;
  readonly apiKeys: Pick<ApiKeys, 'hashOf'>;
  readonly spending: Spending;
  readonly claims: IdempotencyClaims;
  readonly standings: KeyStandings;
  readonly upstream: Upstream;
  readonly frameSockets: FrameSockets;
  readonly tokenCounter: TokenCounter;
  /** Where pictures are got that a call names by their addresses; `null`: nothing is fetched. */
  readonly pictures: PictureSource | null;
  readonly secrets: Pick<SecretBox, 'open'>;
  readonly states: ChannelStates;
  readonly logger: RequestLogger;
  readonly metrics: RelayMetrics;
  readonly clock: Clock;
  readonly stopwatch: Stopwatch;
  readonly ids: IdSource;
  /** `null`: bodies are held in memory whatever their size. */
  readonly bodyFiles: BodyFiles | null;
  /** In [0, 1). */
  readonly random: () => number;
  /** Where the sandbox listens in this process; `null` where it does not. */
  readonly sandboxUrl: () => string | null;
  /** `null`: no spans are made, and nothing is spent on them. */
  readonly tracer: Tracer | null;
  readonly inFlight: CallsInFlight;
  readonly limits: RelayLimits;
  /** `null`: limits hold in this process only. */
  readonly sharedLimits: SharedLimits | null;
  /** What callers may ask for again; `null`: nothing is kept. */
  readonly archive: Archive | null;
  /** What outlives its call; `null`: nothing does. */
  readonly tasks: TaskDesk | null;
  /** `null`: no files and batches are taken. */
  readonly files: FileDesk | null;
  /** `null`: there are no vector stores. */
  readonly vectors: VectorDesk | null;
  /** The limits that operators set, and what processes count in together; `null` where each counts for itself. */
  readonly limitPolicies: LimitPolicies;
  readonly limitCounters: LimitCounters | null;
  /** `null`: events of answers that are made in the background are known to this process only. */
  readonly sharedEvents: SharedEvents | null;
}
