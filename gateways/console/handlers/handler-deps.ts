import type { ChannelTraffics } from '../../ports/channel-traffic.ts';
import type { z } from 'zod';
import type { AccountBook } from '../../../commands/ledger/account-book.ts';
import type { CommandLog } from '../../../commands/command-log.ts';
import type { ApiKeys } from '../../../commands/ports/api-keys.ts';
import type { ChannelProbe } from '../../../commands/ports/channel-probe.ts';
import type { BalanceAsker } from '../../../commands/ports/balance-asker.ts';
import type { ModelLister } from '../../../commands/ports/model-lister.ts';
import type { Clock } from '../../../commands/ports/clock.ts';
import type { EgressCheck } from '../../../commands/ports/egress-check.ts';
import type { EventLog } from '../../../commands/ports/event-log.ts';
import type { ExportStore } from '../../../commands/ports/export-store.ts';
import type { Passwords } from '../../../commands/ports/passwords.ts';
import type { SecretBox } from '../../../commands/ports/secret-box.ts';
import type { InstallationView, StatusView } from '../../../schemas/http/status.ts';
import type { ConsoleReads } from '../../ports/console-reads.ts';
import type { RoutingSight } from '../../ports/routing-sight.ts';
import type { ReadModelCare } from '../../ports/read-model-care.ts';
import type { WorkerCare } from '../../ports/worker-care.ts';
import type { Sessions } from '../sessions.ts';
import type { SharedSignInThrottle } from '../shared-sign-in-throttle.ts';
import type { SignInThrottle } from '../sign-in-throttle.ts';

/** Everything that the console's handlers work with. */
export interface HandlerDeps extends CommandLog {
  readonly log: EventLog;
  readonly book: Pick<AccountBook, 'execute' | 'read'>;
  readonly clock: Clock;
  readonly passwords: Passwords;
  readonly secretBox: SecretBox;
  readonly apiKeys: ApiKeys;
  readonly egress: EgressCheck;
  readonly probe: ChannelProbe;
  readonly lister: ModelLister;
  readonly balances: BalanceAsker;
  readonly sessions: Sessions;
  /** `null` where gateways share no figures. */
  readonly traffics: ChannelTraffics | null;
  /** `null` where no relay runs in this process. */
  readonly routingSight: RoutingSight | null;
  readonly throttle: SignInThrottle | SharedSignInThrottle;
  readonly reads: ConsoleReads;
  readonly care: ReadModelCare;
  readonly workers: WorkerCare;
  readonly exportStore: Pick<ExportStore, 'read'>;
  readonly installation: z.output<typeof InstallationView>;
  readonly status: () => Promise<z.output<typeof StatusView>>;
}
