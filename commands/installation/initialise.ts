import { decodeEvent } from '../../domain/kernel/event-codec.ts';
import { streamName } from '../../domain/kernel/stream-name.ts';
import { userOf, userStream } from '../../domain/user/user.ts';
import { isRefusal, type ErrorCode, type Refusal } from '../../schemas/errors.ts';
import type { Position, Revision } from '../../schemas/event-envelope.ts';
import type { ChannelSettings } from '../../schemas/events/channel.ts';
import { UNRESTRICTED } from '../../schemas/events/token.ts';
import { CommandId, TokenId, UserId, type StreamName } from '../../schemas/ids.ts';
import type { Money } from '../../schemas/money.ts';
import { addChannel, type ChannelDeps } from '../channels/add-channel.ts';
import type { CommandContext } from '../command-context.ts';
import { derivedId, stepOf } from '../derived-id.ts';
import type { AccountBook } from '../ledger/account-book.ts';
import type { IdSource } from '../ports/id-source.ts';
import { publishPriceList, type PublishPriceList } from '../prices/publish-price-list.ts';
import { readState } from '../read-state.ts';
import { newEvents, refusalOf } from '../run-command.ts';
import { issueToken, type IssueTokenDeps } from '../tokens/issue-token.ts';
import { runTokenCommand } from '../tokens/run-token-command.ts';
import { resetPassword } from '../users/change-password.ts';
import { registerUser, type RegisterUserDeps } from '../users/register-user.ts';

export const installationStream: StreamName = streamName('settings', 'installation');

/** A process that began a first start and did not end it by then has died. */
const ABANDONED_MS = 60_000;

/** How often the others look whether the first start is over. */
const LOOK_MS = 100;

/** What a new installation begins with. */
export interface FirstRunSettings {
  readonly adminEmail: string;
  /** What the administrator may spend at once; zero grants nothing. */
  readonly trialCredit: Money;
  readonly priceList: PublishPriceList;
  /** The sandbox, where it is on. */
  readonly channels: readonly ChannelSettings[];
}

/** Known once, to whoever started the server first. */
export interface FirstRun {
  readonly administratorId: UserId;
  readonly adminEmail: string;
  readonly adminPassword: string;
  readonly apiKey: string;
  /** A read model that has seen this position knows all of it. */
  readonly position: Position | null;
}

export interface InitialiseDeps extends RegisterUserDeps, IssueTokenDeps, ChannelDeps {
  readonly book: Pick<AccountBook, 'execute'>;
  readonly ids: IdSource;
  /** Nobody else can be at it: what was begun and not ended was left by a process that died, and is taken over at once. */
  readonly alone?: boolean;
  /** Waits so many milliseconds. */
  readonly wait: (ms: number) => Promise<void>;
  /**
   * Keeps or shows the credentials, before the first start counts as done: they exist nowhere else, and a process that dies
   * earlier leaves another to make new ones.
   */
  readonly reveal: (firstRun: FirstRun) => Promise<void>;
}

/** What the stream says: nobody began, somebody is at it, or it is done. */
type Progress =
  | { readonly kind: 'none' }
  | { readonly kind: 'begun'; readonly installationId: string; readonly revision: Revision; readonly since: number }
  | { readonly kind: 'done' };

const progressOf = async ({ log }: InitialiseDeps): Promise<Progress> => {
  let progress: Progress = { kind: 'none' };
  for await (const recorded of log.readStream(installationStream)) {
    const event = decodeEvent(recorded);
    if (event.type === 'InstallationCompleted') return { kind: 'done' };
    if (event.type === 'InstallationInitialised') {
      progress = {
        kind: 'begun',
        installationId: recorded.metadata.correlationId,
        revision: recorded.revision,
        since: Date.parse(recorded.recordedAt),
      };
    }
  }
  return progress;
};

/** This attempt's place on the stream; `null` when somebody else took it. */
const begin = async (
  deps: InitialiseDeps,
  administratorId: UserId,
  before: Revision | 'no_stream',
  context: CommandContext,
): Promise<Revision | null | Refusal> => {
  const events = newEvents([{ type: 'InstallationInitialised', data: { administratorId } }], context);
  const outcome = await deps.appender.append({ stream: installationStream, expectedRevision: before, events });
  if (outcome.outcome === 'appended') return outcome.revision;
  return outcome.outcome === 'conflict' ? null : refusalOf(outcome);
};

/** The administrator with a password that is known now: registered, or left without one by an attempt that died. */
const makeAdministrator = async (
  deps: InitialiseDeps,
  settings: FirstRunSettings,
  administratorId: UserId,
  first: CommandContext,
  attempt: CommandContext,
): Promise<string | Refusal> => {
  const { registered } = await readState(deps.log, userStream(administratorId), userOf(administratorId));
  if (registered) {
    const reset = await resetPassword(deps, administratorId, stepOf(attempt, 'password'));
    return isRefusal(reset) ? reset : reset.password;
  }
  const made = await registerUser(
    deps,
    { email: settings.adminEmail, displayName: 'Administrator', role: 'admin', group: 'default', timeZone: 'UTC' },
    first,
  );
  if (isRefusal(made)) return made;
  if (made.password === null) throw new Error('a password was not made for the administrator');
  return made.password;
};

/** An earlier attempt did this already, with other particulars: as good. */
const DONE_BEFORE: readonly ErrorCode[] = ['already_exists', 'idempotency_conflict'];
const stands = (answer: unknown): answer is Refusal => isRefusal(answer) && !DONE_BEFORE.includes(answer.refused);

/** Ids of one attempt's key, so that a later attempt can revoke what nobody ever saw. */
const keyContext = (first: CommandContext, revision: Revision): CommandContext => stepOf(first, `key-${revision}`);

const makeEverything = async (
  deps: InitialiseDeps,
  settings: FirstRunSettings,
  administratorId: UserId,
  revision: Revision,
  first: CommandContext,
): Promise<FirstRun | Refusal> => {
  const attempt = stepOf(first, `attempt-${revision}`);
  const adminPassword = await makeAdministrator(deps, settings, administratorId, first, attempt);
  if (typeof adminPassword !== 'string') return adminPassword;
  if (settings.trialCredit > 0n) {
    const granted = await deps.book.execute(
      administratorId,
      { kind: 'grantCredit', amount: settings.trialCredit, source: 'grant', reason: 'Trial credit of a new installation' },
      stepOf(first, 'credit'),
    );
    if (stands(granted)) return granted;
  }
  const published = await publishPriceList(deps, settings.priceList, stepOf(first, 'prices'));
  if (stands(published)) return published;
  for (const [index, channel] of settings.channels.entries()) {
    const added = await addChannel(deps, { settings: channel, secrets: [] }, stepOf(first, `channel-${index}`));
    if (stands(added)) return added;
  }
  for (let earlier = 0; earlier < revision; earlier++) {
    const tokenId = TokenId.parse(derivedId('key', keyContext(first, earlier).commandId));
    const revoked = await runTokenCommand(
      deps,
      tokenId,
      { kind: 'revoke', reason: 'Made by a first start that did not end.' },
      stepOf(attempt, `revoke-${earlier}`),
    );
    if (isRefusal(revoked) && revoked.refused !== 'not_found') return revoked;
  }
  const issued = await issueToken(
    deps,
    { userId: administratorId, name: 'First key', expiresAt: null, restrictions: UNRESTRICTED, caps: {} },
    keyContext(first, revision),
  );
  if (isRefusal(issued)) return issued;
  return { administratorId, adminEmail: settings.adminEmail, adminPassword, apiKey: issued.secret, position: issued.position };
};

/**
 * Makes a new installation ready to use: an administrator with an account and trial credit, prices, channels, a key. It happens
 * once however many processes start at once; the others wait until it has. A process that dies on the way is taken over
 * from: what it made stays, and credentials that nobody saw are replaced.
 */
export const initialise = async (deps: InitialiseDeps, settings: FirstRunSettings): Promise<FirstRun | 'already initialised' | Refusal> => {
  for (;;) {
    const progress = await progressOf(deps);
    if (progress.kind === 'done') return 'already initialised';
    if (progress.kind === 'begun' && deps.alone !== true && deps.clock.now() - progress.since < ABANDONED_MS) {
      await deps.wait(LOOK_MS);
      continue;
    }
    // Every attempt works under the id of the first, so that it finds what was made before it.
    const [installationId, before] =
      progress.kind === 'begun' ? [progress.installationId, progress.revision] : [deps.ids.next('ins'), 'no_stream' as const];
    const first = contextOf(deps, installationId);
    const administratorId = UserId.parse(derivedId('usr', first.commandId));
    const revision = await begin(deps, administratorId, before, stepOf(first, `begin-after-${before}`));
    if (revision === null) continue;
    if (typeof revision !== 'number') return revision;

    const firstRun = await makeEverything(deps, settings, administratorId, revision, first);
    if (isRefusal(firstRun)) return firstRun;
    await deps.reveal(firstRun);
    const completed = await deps.appender.append({
      stream: installationStream,
      expectedRevision: revision,
      events: newEvents([{ type: 'InstallationCompleted', data: { administratorId } }], stepOf(first, 'completed')),
    });
    return completed.outcome === 'appended' ? { ...firstRun, position: completed.position } : refusalOf(completed);
  }
};

const contextOf = ({ clock }: InitialiseDeps, installationId: string): CommandContext => ({
  commandId: CommandId.parse(installationId),
  correlationId: installationId,
  causationId: installationId,
  actor: { kind: 'system', id: 'first-start' },
  tenant: 'platform',
  occurredAt: new Date(clock.now()).toISOString(),
});
