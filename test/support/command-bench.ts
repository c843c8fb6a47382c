import { AccountBook } from '../../commands/ledger/account-book.ts';
import type { CommandContext } from '../../commands/command-context.ts';
import type { Clock } from '../../commands/ports/clock.ts';
import type { EgressCheck } from '../../commands/ports/egress-check.ts';
import type { IdSource } from '../../commands/ports/id-source.ts';
import type { Passwords } from '../../commands/ports/passwords.ts';
import type { Appender } from '../../commands/ports/appender.ts';
import type { SecretBox } from '../../commands/ports/secret-box.ts';
import type { ApiKeys } from '../../commands/ports/api-keys.ts';
import type { ChannelProbe, ProbeOutcome } from '../../commands/ports/channel-probe.ts';
import { decodeEvent } from '../../domain/kernel/event-codec.ts';
import { apiKeys } from '../../infra/crypto/api-key.ts';
import { masterKeyOf, type MasterKey } from '../../infra/crypto/master-key.ts';
import { argon2Passwords } from '../../infra/crypto/passwords.ts';
import { secretBox } from '../../infra/crypto/secret-box.ts';
import { refuse } from '../../schemas/errors.ts';
import type { Actor } from '../../schemas/event-envelope.ts';
import type { DomainEvent } from '../../schemas/events/catalogue.ts';
import { CommandId } from '../../schemas/ids.ts';
import { memoryLog, type MemoryLog } from './memory-log.ts';

/** Everything that commands need, in memory and by the test's own clock. */
export interface CommandBench {
  readonly log: MemoryLog;
  readonly appender: Appender;
  readonly book: AccountBook;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly passwords: Passwords;
  readonly masterKey: MasterKey;
  readonly secretBox: SecretBox;
  readonly apiKeys: ApiKeys;
  readonly egress: EgressCheck;
  readonly probe: ChannelProbe & {
    readonly calls: { readonly credential: string | null; readonly upstreamModel: string }[];
    answer: ProbeOutcome;
  };
  /** Moves the clock on. */
  pass(ms: number): void;
  /** A context with a command id of its own, or with the one given. */
  context(id?: string, actor?: Actor): CommandContext;
  /** What the log holds, decoded, as `stream type`. */
  told(): readonly string[];
  eventsOf(category: string): readonly DomainEvent[];
}

const QUICK = { memoryCost: 64, timeCost: 1, parallelism: 1 };

/** `beforeAppend` runs before each append and may throw: the process died there. */
export const commandBench = ({ beforeAppend = () => {} }: { readonly beforeAppend?: (nth: number) => void } = {}): CommandBench => {
  let now = Date.UTC(2026, 0, 1);
  const clock = { now: () => now };
  const log = memoryLog({ now: clock.now });
  let appends = 0;
  const appender: Appender = {
    append: async (append) => {
      beforeAppend(appends++);
      const [outcome] = await log.append([append]);
      if (outcome === undefined) throw new Error('the log gave no outcome');
      return outcome;
    },
  };
  const master = masterKeyOf(Buffer.alloc(32, 1));
  let made = 0;
  const calls: { credential: string | null; upstreamModel: string }[] = [];
  return {
    log,
    appender,
    book: new AccountBook(log, appender),
    clock,
    ids: { next: (prefix) => `${prefix}_${++made}` },
    passwords: argon2Passwords(QUICK),
    masterKey: master,
    secretBox: secretBox(master),
    apiKeys: apiKeys(master),
    egress: { check: async ({ hostname }) => (hostname === '10.0.0.1' ? refuse('address_blocked') : null) },
    probe: {
      calls,
      answer: { ok: true, latencyMs: 5, message: 'answered' },
      async probe(_settings, { upstreamModel }, credential) {
        calls.push({ credential, upstreamModel });
        return this.answer;
      },
    },
    pass: (ms) => {
      now += ms;
    },
    context: (id = `test:${++made}`, actor = { kind: 'operator', id: 'test' }) => ({
      commandId: CommandId.parse(id),
      correlationId: id,
      causationId: id,
      actor,
      tenant: 'platform',
      occurredAt: new Date(now).toISOString(),
    }),
    told: () => log.events.map(({ stream, type }) => `${stream.slice(0, stream.indexOf('-'))} ${type}`),
    eventsOf: (category) => log.events.filter(({ stream }) => stream.startsWith(`${category}-`)).map(decodeEvent),
  };
};
