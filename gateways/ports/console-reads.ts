import type { z } from 'zod';
import type { Position } from '../../schemas/event-envelope.ts';
import type { ProviderId } from '../../schemas/events/channel.ts';
import type { Role } from '../../schemas/events/user.ts';
import type { ChannelList, ChannelView } from '../../schemas/http/channels.ts';
import type { ExportView } from '../../schemas/http/exports.ts';
import type { KeyPage, KeyStatus, KeyView } from '../../schemas/http/keys.ts';
import type { EntryKind, JournalPage, JournalRow, LedgerAccountPage, TrialBalance } from '../../schemas/http/ledger.ts';
import type { NotificationPage } from '../../schemas/http/notifications.ts';
import type { OverviewFigures, SpendSeries, TopModels } from '../../schemas/http/overview.ts';
import type { GroupRatios, ModelPricePage, PriceLists } from '../../schemas/http/prices.ts';
import type { RequestDetail, RequestHistogram, RequestPage, RequestState } from '../../schemas/http/requests.ts';
import type { RoutingRulesView } from '../../schemas/http/routing.ts';
import type { ProfileView, UserPage, UserView } from '../../schemas/http/users.ts';
import type { TaskState, TaskView } from '../../schemas/http/tasks.ts';
import type { TaskShape } from '../../schemas/events/task.ts';
import type { ChannelId, ExportId, PriceListId, RequestId, TaskId, TokenId, UserId } from '../../schemas/ids.ts';
import type { ModelKind } from '../../schemas/price.ts';

/** Whose data: one user's, or everybody's. Decided before a query is asked, never by it. */
export type Owner = UserId | 'everybody';

/** Half-open, milliseconds since the Unix epoch. */
export interface TimeRange {
  readonly from: number;
  readonly to: number;
}

/** `cursor` came from `nextCursor` of the page before; one that did not is read as the first page. */
export interface PageAsked {
  readonly cursor: string | undefined;
  readonly limit: number;
}

export interface KeyFilter {
  readonly owner: Owner;
  readonly status?: z.output<typeof KeyStatus> | undefined;
  readonly search?: string | undefined;
}

export interface UserFilter {
  readonly search?: string | undefined;
  readonly role?: Role | undefined;
  readonly status?: 'active' | 'suspended' | undefined;
}

export interface JournalFilter {
  readonly owner: Owner;
  readonly range: Partial<TimeRange>;
  readonly view: 'statement' | 'entries';
  readonly kind?: z.output<typeof EntryKind> | undefined;
  readonly account?: string | undefined;
  readonly requestId?: RequestId | undefined;
}

export interface RequestFilter {
  readonly owner: Owner;
  readonly range: Partial<TimeRange>;
  readonly tokenId?: TokenId | undefined;
  readonly channelId?: ChannelId | undefined;
  readonly model?: string | undefined;
  readonly endpoint?: string | undefined;
  readonly state?: z.output<typeof RequestState> | undefined;
  readonly result?: 'ok' | 'failed' | undefined;
  readonly errorCode?: string | undefined;
  readonly search?: string | undefined;
}

/** Whose notifications, and whether those for administrators are among them. `null` is the operator, who has none of his own and marks none. */
export interface NotificationReader {
  readonly userId: UserId | null;
  readonly isAdministrator: boolean;
}

export interface TasksFilter {
  readonly owner: Owner;
  readonly status: z.output<typeof TaskState> | undefined;
  readonly shape: TaskShape | undefined;
  readonly model: string | undefined;
  readonly channelId: ChannelId | undefined;
}

/** A task, and where it is. */
export type TaskOf = z.output<typeof TaskView>;

/** An export, and whose it is. */
export type ExportOf = z.output<typeof ExportView> & { readonly requestedBy: UserId | null };

/** What the console shows, from the read models. Rows are complete; what only administrators may see is taken out by whoever answers. */
export interface ConsoleReads {
  /** False when the read models have not seen the position within the time. */
  readonly waitFor: (position: Position, timeoutMs: number) => Promise<boolean>;

  overview(owner: Owner, range: TimeRange): Promise<z.output<typeof OverviewFigures>>;
  spendSeries(owner: Owner, range: TimeRange, bucket: 'hour' | 'day', by: 'model' | 'key' | 'none'): Promise<z.output<typeof SpendSeries>>;
  topModels(owner: Owner, range: TimeRange): Promise<z.output<typeof TopModels>>;

  keys(filter: KeyFilter, page: PageAsked): Promise<z.output<typeof KeyPage>>;
  key(tokenId: TokenId): Promise<z.output<typeof KeyView> | null>;

  channels(filter: {
    readonly provider?: z.output<typeof ProviderId> | undefined;
    readonly model?: string | undefined;
  }): Promise<z.output<typeof ChannelList>>;
  channel(channelId: ChannelId): Promise<z.output<typeof ChannelView> | null>;

  routingRules(): Promise<z.output<typeof RoutingRulesView>>;

  users(filter: UserFilter, page: PageAsked): Promise<z.output<typeof UserPage>>;
  user(userId: UserId): Promise<z.output<typeof UserView> | null>;
  profile(userId: UserId): Promise<z.output<typeof ProfileView> | null>;

  journal(filter: JournalFilter, page: PageAsked): Promise<z.output<typeof JournalPage>>;
  /** All of it, newest first, a page at a time. */
  journalRows(filter: JournalFilter): AsyncIterable<z.output<typeof JournalRow>>;
  ledgerAccounts(
    filter: { readonly owner: Owner; readonly prefix?: string | undefined },
    page: PageAsked,
  ): Promise<z.output<typeof LedgerAccountPage>>;
  trialBalance(): Promise<z.output<typeof TrialBalance>>;

  requests(filter: RequestFilter, page: PageAsked): Promise<z.output<typeof RequestPage>>;
  requestHistogram(filter: RequestFilter, range: TimeRange, buckets: number): Promise<z.output<typeof RequestHistogram>>;
  request(requestId: RequestId): Promise<z.output<typeof RequestDetail> | null>;

  /** `null` is the operator. */
  exports(requestedBy: UserId | null, page: PageAsked): Promise<{ readonly rows: readonly ExportOf[]; readonly nextCursor: string | null }>;
  export(exportId: ExportId): Promise<ExportOf | null>;
  tasks(filter: TasksFilter, page: PageAsked): Promise<{ readonly rows: readonly TaskOf[]; readonly nextCursor: string | null }>;
  task(taskId: TaskId): Promise<TaskOf | null>;
  unfinishedExports(requestedBy: UserId | null): Promise<number>;

  notifications(reader: NotificationReader, unread: boolean, page: PageAsked): Promise<z.output<typeof NotificationPage>>;
  unreadNotifications(reader: NotificationReader): Promise<number>;

  priceLists(): Promise<z.output<typeof PriceLists>>;
  modelPrices(
    filter: {
      readonly priceListId?: PriceListId | undefined;
      readonly search?: string | undefined;
      readonly kind?: ModelKind | undefined;
      readonly group: string;
    },
    page: PageAsked,
  ): Promise<z.output<typeof ModelPricePage>>;
  groupRatios(): Promise<z.output<typeof GroupRatios>>;
}
