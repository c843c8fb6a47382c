import { z } from 'zod';
import { ChannelId, ChannelKeyId, PriceListId, RequestId, TokenId, UserId } from '../../schemas/ids.ts';
import * as channels from '../../schemas/http/channels.ts';
import * as events from '../../schemas/http/events.ts';
import * as keys from '../../schemas/http/keys.ts';
import * as ledger from '../../schemas/http/ledger.ts';
import * as overview from '../../schemas/http/overview.ts';
import * as prices from '../../schemas/http/prices.ts';
import * as projections from '../../schemas/http/projections.ts';
import * as requests from '../../schemas/http/requests.ts';
import * as session from '../../schemas/http/session.ts';
import * as status from '../../schemas/http/status.ts';
import * as users from '../../schemas/http/users.ts';
import { AfterQuery, Done, PositionText } from '../../schemas/http/wire.ts';
import type { Route } from './route.ts';

const KeyParams = z.object({ tokenId: TokenId });
const ChannelParams = z.object({ channelId: ChannelId });
const ChannelKeyParams = z.object({ channelId: ChannelId, keyId: ChannelKeyId });
const UserParams = z.object({ userId: UserId });
const RequestParams = z.object({ requestId: RequestId });
const ProjectionParams = z.object({ name: z.string().max(100) });
const ParkedParams = z.object({ parkedId: z.string().max(200) });
const OneQuery = z.object(AfterQuery);

/** Every route of the console's API, by operation. Order matters to Express where a fixed path and a parameter compete. */
export const routes = {
  // Session
  readSession: { method: 'get', path: '/session', auth: 'public', tag: 'Session', summary: 'Who is signed in, and the token for calls that change something.', answer: 'json', response: session.SessionView },
  signIn: { method: 'post', path: '/session', auth: 'public', tag: 'Session', summary: 'Sign in; sets the session cookie.', body: session.SignIn, answer: 'json', response: session.SessionView },
  signOut: { method: 'delete', path: '/session', auth: 'user', tag: 'Session', summary: 'Sign out here.', answer: 'json', response: session.SessionView },

  // Overview
  readOverview: { method: 'get', path: '/overview', auth: 'user', tag: 'Overview', summary: 'Balance, spend, requests and tokens of a period beside the one before.', query: overview.OverviewQuery, answer: 'json', response: overview.OverviewFigures },
  readSpendSeries: { method: 'get', path: '/overview/spend', auth: 'user', tag: 'Overview', summary: 'Spend over time, by model or by key.', query: overview.SpendSeriesQuery, answer: 'json', response: overview.SpendSeries },
  readTopModels: { method: 'get', path: '/overview/models', auth: 'user', tag: 'Overview', summary: 'The models that cost most in a period.', query: overview.OverviewQuery, answer: 'json', response: overview.TopModels },

  // Keys
  listKeys: { method: 'get', path: '/keys', auth: 'user', tag: 'Keys', summary: 'API keys, newest first.', query: keys.KeyQuery, answer: 'json', response: keys.KeyPage },
  createKey: { method: 'post', path: '/keys', auth: 'user', tag: 'Keys', summary: 'Make an API key; the answer holds the key itself, once.', body: keys.CreateKey, answer: 'json', status: 201, response: keys.KeyCreated },
  readKey: { method: 'get', path: '/keys/:tokenId', auth: 'user', tag: 'Keys', summary: 'One API key.', params: KeyParams, query: OneQuery, answer: 'json', response: keys.KeyView },
  changeKey: { method: 'patch', path: '/keys/:tokenId', auth: 'user', tag: 'Keys', summary: 'Rename a key or change when it expires.', params: KeyParams, body: keys.ChangeKey, ifMatch: true, answer: 'json', response: Done },
  restrictKey: { method: 'put', path: '/keys/:tokenId/restrictions', auth: 'user', tag: 'Keys', summary: 'Set which models, endpoints and addresses a key is good for.', params: KeyParams, body: keys.RestrictKey, ifMatch: true, answer: 'json', response: Done },
  setKeyCaps: { method: 'put', path: '/keys/:tokenId/caps', auth: 'user', tag: 'Keys', summary: 'Set what a key may spend a day, a month, and in all.', params: KeyParams, body: keys.SetCaps, answer: 'json', response: Done },
  enableKey: { method: 'post', path: '/keys/:tokenId/enable', auth: 'user', tag: 'Keys', summary: 'Let a disabled key work again.', params: KeyParams, ifMatch: true, answer: 'json', response: Done },
  disableKey: { method: 'post', path: '/keys/:tokenId/disable', auth: 'user', tag: 'Keys', summary: 'Stop a key for the time being.', params: KeyParams, body: keys.Reason, ifMatch: true, answer: 'json', response: Done },
  revokeKey: { method: 'post', path: '/keys/:tokenId/revoke', auth: 'user', tag: 'Keys', summary: 'Withdraw a key.', params: KeyParams, body: keys.Reason, ifMatch: true, answer: 'json', response: Done },
  restoreKey: { method: 'post', path: '/keys/:tokenId/restore', auth: 'user', tag: 'Keys', summary: 'Take back a revocation, or reopen an exhausted key.', params: KeyParams, ifMatch: true, answer: 'json', response: Done },

  // Channels
  listChannels: { method: 'get', path: '/channels', auth: 'admin', tag: 'Channels', summary: 'Every channel with its health.', query: channels.ChannelQuery, answer: 'json', response: channels.ChannelList },
  addChannel: { method: 'post', path: '/channels', auth: 'admin', tag: 'Channels', summary: 'Add a channel to an upstream.', body: channels.AddChannel, answer: 'json', status: 201, response: channels.ChannelAdded },
  readChannel: { method: 'get', path: '/channels/:channelId', auth: 'admin', tag: 'Channels', summary: 'One channel.', params: ChannelParams, query: OneQuery, answer: 'json', response: channels.ChannelView },
  changeChannel: { method: 'put', path: '/channels/:channelId', auth: 'admin', tag: 'Channels', summary: 'Change a channel; a new origin needs its credentials anew.', params: ChannelParams, body: channels.ChangeChannel, ifMatch: true, answer: 'json', response: Done },
  removeChannel: { method: 'delete', path: '/channels/:channelId', auth: 'admin', tag: 'Channels', summary: 'Remove a channel and forget its credentials.', params: ChannelParams, ifMatch: true, answer: 'json', response: Done },
  addChannelKey: { method: 'post', path: '/channels/:channelId/keys', auth: 'admin', tag: 'Channels', summary: 'Add a credential to the pool.', params: ChannelParams, body: channels.AddChannelKey, answer: 'json', status: 201, response: channels.ChannelKeyAdded },
  disableChannelKey: { method: 'post', path: '/channels/:channelId/keys/:keyId/disable', auth: 'admin', tag: 'Channels', summary: 'Take a credential out of use.', params: ChannelKeyParams, body: keys.Reason, answer: 'json', response: Done },
  restoreChannelKey: { method: 'post', path: '/channels/:channelId/keys/:keyId/restore', auth: 'admin', tag: 'Channels', summary: 'Put a credential back into use.', params: ChannelKeyParams, answer: 'json', response: Done },
  removeChannelKey: { method: 'delete', path: '/channels/:channelId/keys/:keyId', auth: 'admin', tag: 'Channels', summary: 'Remove a credential.', params: ChannelKeyParams, answer: 'json', response: Done },
  testChannel: { method: 'post', path: '/channels/:channelId/test', auth: 'admin', tag: 'Channels', summary: 'Send one small call through a channel.', params: ChannelParams, body: channels.TestChannel, answer: 'json', response: channels.ChannelTested },
  enableChannel: { method: 'post', path: '/channels/:channelId/enable', auth: 'admin', tag: 'Channels', summary: 'Let calls go to a channel.', params: ChannelParams, ifMatch: true, answer: 'json', response: Done },
  disableChannel: { method: 'post', path: '/channels/:channelId/disable', auth: 'admin', tag: 'Channels', summary: 'Send no more calls to a channel.', params: ChannelParams, body: keys.Reason, ifMatch: true, answer: 'json', response: Done },

  // People
  listUsers: { method: 'get', path: '/users', auth: 'admin', tag: 'Users', summary: 'People, newest first.', query: users.UserQuery, answer: 'json', response: users.UserPage },
  createUser: { method: 'post', path: '/users', auth: 'admin', tag: 'Users', summary: 'Register somebody and open their account.', body: users.CreateUser, answer: 'json', status: 201, response: users.UserCreated },
  readUser: { method: 'get', path: '/users/:userId', auth: 'admin', tag: 'Users', summary: 'One person.', params: UserParams, query: OneQuery, answer: 'json', response: users.UserView },
  suspendUser: { method: 'post', path: '/users/:userId/suspend', auth: 'admin', tag: 'Users', summary: 'Stop a person and all their keys.', params: UserParams, body: keys.Reason, ifMatch: true, answer: 'json', response: Done },
  reinstateUser: { method: 'post', path: '/users/:userId/reinstate', auth: 'admin', tag: 'Users', summary: 'Take back a suspension.', params: UserParams, ifMatch: true, answer: 'json', response: Done },
  assignRole: { method: 'put', path: '/users/:userId/role', auth: 'admin', tag: 'Users', summary: 'Make somebody an administrator, or no longer one.', params: UserParams, body: users.AssignRole, ifMatch: true, answer: 'json', response: Done },
  assignGroup: { method: 'put', path: '/users/:userId/group', auth: 'admin', tag: 'Users', summary: 'Put somebody in a price and channel group.', params: UserParams, body: users.AssignGroup, ifMatch: true, answer: 'json', response: Done },
  grantCredit: { method: 'post', path: '/users/:userId/credit', auth: 'admin', tag: 'Users', summary: 'Give somebody credit.', params: UserParams, body: users.GrantCredit, answer: 'json', response: Done },
  setUserCaps: { method: 'put', path: '/users/:userId/caps', auth: 'admin', tag: 'Users', summary: 'Set what a person may spend a day, a month, and in all.', params: UserParams, body: keys.SetCaps, answer: 'json', response: Done },
  resetPassword: { method: 'post', path: '/users/:userId/password', auth: 'admin', tag: 'Users', summary: 'Make a new password, shown once; ends every session of that person.', params: UserParams, answer: 'json', response: users.PasswordReset },

  // The caller's own account
  readAccount: { method: 'get', path: '/account', auth: 'user', tag: 'Account', summary: 'Your profile, balance and caps.', query: OneQuery, answer: 'json', response: users.ProfileView },
  changeProfile: { method: 'patch', path: '/account', auth: 'user', tag: 'Account', summary: 'Change your name or e-mail address.', body: users.ChangeProfile, answer: 'json', response: Done },
  changePassword: { method: 'put', path: '/account/password', auth: 'user', tag: 'Account', summary: 'Change your password; ends your other sessions.', body: users.ChangePassword, answer: 'json', response: users.PasswordChanged },

  // Ledger
  listJournal: { method: 'get', path: '/ledger/journal', auth: 'user', tag: 'Ledger', summary: 'Journal entries with the running balance, newest first.', query: ledger.JournalQuery, answer: 'json', response: ledger.JournalPage },
  exportJournal: { method: 'get', path: '/ledger/journal.csv', auth: 'user', tag: 'Ledger', summary: 'The same as CSV.', query: ledger.JournalCsvQuery, answer: 'csv', response: ledger.JournalRow },
  listLedgerAccounts: { method: 'get', path: '/ledger/accounts', auth: 'user', tag: 'Ledger', summary: 'Ledger accounts and what stands on them.', query: ledger.LedgerAccountsQuery, answer: 'json', response: ledger.LedgerAccountPage },
  readTrialBalance: { method: 'get', path: '/ledger/trial-balance', auth: 'admin', tag: 'Ledger', summary: 'Debits and credits over everything.', query: OneQuery, answer: 'json', response: ledger.TrialBalance },
  explainCharge: { method: 'get', path: '/ledger/charges/:requestId', auth: 'user', tag: 'Ledger', summary: 'How a charge was computed.', params: RequestParams, query: OneQuery, answer: 'json', response: ledger.ChargeExplanation },
  refundCharge: { method: 'post', path: '/ledger/charges/:requestId/refund', auth: 'admin', tag: 'Ledger', summary: 'Give back a charge or a part of it.', params: RequestParams, body: ledger.RefundCharge, answer: 'json', response: ledger.ChargeRefunded },

  // Requests
  listRequests: { method: 'get', path: '/requests', auth: 'user', tag: 'Requests', summary: 'The request log, newest first.', query: requests.RequestQuery, answer: 'json', response: requests.RequestPage },
  readRequestHistogram: { method: 'get', path: '/requests/histogram', auth: 'user', tag: 'Requests', summary: 'Requests over time under the same filters.', query: requests.RequestHistogramQuery, answer: 'json', response: requests.RequestHistogram },
  tailRequests: { method: 'get', path: '/requests/live', auth: 'user', tag: 'Requests', summary: 'Requests as they end, as server-sent events.', query: requests.RequestTailQuery, answer: 'events', response: requests.RequestRow },
  readRequest: { method: 'get', path: '/requests/:requestId', auth: 'user', tag: 'Requests', summary: 'One request with its attempts.', params: RequestParams, query: OneQuery, answer: 'json', response: requests.RequestDetail },

  // Prices
  listPriceLists: { method: 'get', path: '/prices', auth: 'user', tag: 'Prices', summary: 'Price lists and which one is in force.', query: prices.PriceListsQuery, answer: 'json', response: prices.PriceLists },
  publishPriceList: { method: 'post', path: '/prices', auth: 'admin', tag: 'Prices', summary: 'Publish a price list.', body: prices.PublishPriceList, answer: 'json', status: 201, response: prices.PriceListPublished },
  listModelPrices: { method: 'get', path: '/prices/models', auth: 'user', tag: 'Prices', summary: 'Models and their prices.', query: prices.ModelPricesQuery, answer: 'json', response: prices.ModelPricePage },
  listGroupRatios: { method: 'get', path: '/prices/groups', auth: 'admin', tag: 'Prices', summary: 'What each group pays of the list price.', query: OneQuery, answer: 'json', response: prices.GroupRatios },
  setGroupRatio: { method: 'put', path: '/prices/groups/:group', auth: 'admin', tag: 'Prices', summary: 'Set what a group pays of the list price.', params: z.object({ group: z.string().min(1).max(64) }), body: prices.SetGroupRatio, answer: 'json', response: Done },
  withdrawPriceList: { method: 'post', path: '/prices/:priceListId/withdraw', auth: 'admin', tag: 'Prices', summary: 'Withdraw a price list; the one before is in force again.', params: z.object({ priceListId: PriceListId }), body: keys.Reason, answer: 'json', response: Done },

  // Operations
  readInstallation: { method: 'get', path: '/installation', auth: 'user', tag: 'Operations', summary: 'What clients need to know of this installation.', answer: 'json', response: status.InstallationView },
  readStatus: { method: 'get', path: '/status', auth: 'admin', tag: 'Operations', summary: 'State and configuration, secrets masked.', answer: 'json', response: status.StatusView },
  listProjections: { method: 'get', path: '/projections', auth: 'admin', tag: 'Operations', summary: 'Read models and how far they are.', answer: 'json', response: projections.ProjectionList },
  rebuildProjection: { method: 'post', path: '/projections/:name/rebuild', auth: 'admin', tag: 'Operations', summary: 'Rebuild a read model beside the live one and switch.', params: ProjectionParams, answer: 'json', status: 202, response: projections.RebuildStarted },
  compareProjection: { method: 'post', path: '/projections/:name/compare', auth: 'admin', tag: 'Operations', summary: 'Rebuild a read model aside and compare digests.', params: ProjectionParams, answer: 'json', response: projections.ProjectionCompared },
  listParked: { method: 'get', path: '/parked', auth: 'admin', tag: 'Operations', summary: 'Events that a projector could not apply.', query: projections.ParkedQuery, answer: 'json', response: projections.ParkedPage },
  retryParked: { method: 'post', path: '/parked/:parkedId/retry', auth: 'admin', tag: 'Operations', summary: 'Apply a parked event and what waits behind it.', params: ParkedParams, answer: 'json', response: projections.ParkedDone },
  discardParked: { method: 'post', path: '/parked/:parkedId/discard', auth: 'admin', tag: 'Operations', summary: 'Leave a parked event out of the read model for good.', params: ParkedParams, body: keys.Reason, answer: 'json', response: projections.ParkedDone },
  listEvents: { method: 'get', path: '/events', auth: 'admin', tag: 'Operations', summary: 'Events of the log.', query: events.EventQuery, answer: 'json', response: events.EventList },
  tailEvents: { method: 'get', path: '/events/live', auth: 'admin', tag: 'Operations', summary: 'Events as they are recorded, as server-sent events.', query: events.EventTailQuery, answer: 'events', response: events.EventView },
  exportEvents: { method: 'get', path: '/events/export', auth: 'admin', tag: 'Operations', summary: 'Events as JSON lines.', query: events.EventTailQuery, answer: 'ndjson', response: events.EventView },
  readEvent: { method: 'get', path: '/events/:position', auth: 'admin', tag: 'Operations', summary: 'One event.', params: z.object({ position: PositionText }), answer: 'json', response: events.EventView },
} as const satisfies Record<string, Route>;

export type Routes = typeof routes;
export type Operation = keyof Routes;
