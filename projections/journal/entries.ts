import type { JOURNAL_TYPES } from '../../domain/ledger/journal.ts';
import { entriesOf, type JournalEntry } from '../../domain/ledger/journal.ts';
import type { Position } from '../../schemas/event-envelope.ts';
import type { Money } from '../../schemas/money.ts';
import { rowsFrom, rowStatements, type Column } from '../engine/columns.ts';
import type { ProjectedEvent } from '../engine/projected-event.ts';
import type { Statement } from '../engine/projection.ts';
import { accountTable, entryTable, userTable } from './tables.ts';

export type MoneyEvent = ProjectedEvent<(typeof JOURNAL_TYPES)[number]>;
type Charge = ProjectedEvent<'QuotaDebited'>;

interface EntryRow {
  readonly event: MoneyEvent;
  readonly entry: JournalEntry;
  readonly index: number;
}

const ENTRIES: readonly Column<EntryRow>[] = [
  { name: 'position', type: 'int8', of: ({ event }) => event.position },
  { name: 'entry', type: 'int2', of: ({ index }) => index },
  { name: 'recorded_at', type: 'timestamptz', of: ({ event }) => event.recordedAt },
  { name: 'kind', type: 'text', of: ({ entry }) => entry.kind },
  { name: 'debit', type: 'text', of: ({ entry }) => entry.debit },
  { name: 'credit', type: 'text', of: ({ entry }) => entry.credit },
  { name: 'amount', type: 'int8', of: ({ entry }) => entry.amount },
  { name: 'user_id', type: 'text', of: ({ entry }) => entry.userId },
  { name: 'change', type: 'int8', of: ({ entry }) => entry.change },
  { name: 'token_id', type: 'text', of: ({ entry }) => entry.tokenId },
  { name: 'request_id', type: 'text', of: ({ entry }) => entry.requestId },
  { name: 'lease_id', type: 'text', of: ({ entry }) => entry.leaseId },
  { name: 'model', type: 'text', of: ({ entry }) => entry.model },
  { name: 'note', type: 'text', of: ({ entry }) => entry.note },
];

const WRITE_ENTRIES = `INSERT INTO ${entryTable} (${ENTRIES.map(({ name }) => name).join(', ')}) SELECT * FROM ${rowsFrom(ENTRIES, 'e')}`;

/** What a batch does to one account, or to one user's balance. Sums are text: they outgrow what one amount may be. */
interface Total {
  readonly name: string;
  debits: bigint;
  credits: bigint;
  opened: Position;
  position: Position;
}

const ACCOUNTS: readonly Column<Total>[] = [
  { name: 'account', type: 'text', of: ({ name }) => name },
  { name: 'debits', type: 'text', of: ({ debits }) => debits.toString() },
  { name: 'credits', type: 'text', of: ({ credits }) => credits.toString() },
  { name: 'opened', type: 'int8', of: ({ opened }) => opened },
  { name: 'position', type: 'int8', of: ({ position }) => position },
];

const WRITE_ACCOUNTS = `
  INSERT INTO ${accountTable} AS t (account, debits, credits, opened, position)
  SELECT account, debits::numeric, credits::numeric, opened, position FROM ${rowsFrom(ACCOUNTS, 'a')}
  ON CONFLICT (account) DO UPDATE SET debits = t.debits + excluded.debits, credits = t.credits + excluded.credits,
    opened = least(t.opened, excluded.opened), position = greatest(t.position, excluded.position)`;

const USERS: readonly Column<Total>[] = [
  { name: 'user_id', type: 'text', of: ({ name }) => name },
  { name: 'change', type: 'text', of: ({ debits, credits }) => (credits - debits).toString() },
  { name: 'position', type: 'int8', of: ({ position }) => position },
];

const WRITE_USERS = `
  INSERT INTO ${userTable} AS t (user_id, balance, position) SELECT user_id, change::numeric, position FROM ${rowsFrom(USERS, 'u')}
  ON CONFLICT (user_id) DO UPDATE SET balance = t.balance + excluded.balance, position = greatest(t.position, excluded.position)`;

class Totals {
  readonly #totals = new Map<string, Total>();

  get all(): readonly Total[] {
    return [...this.#totals.values()];
  }

  add(name: string, debit: bigint, credit: bigint, { opened, position }: Pick<Total, 'opened' | 'position'>): void {
    const total = this.#totals.get(name);
    if (total === undefined) {
      this.#totals.set(name, { name, debits: debit, credits: credit, opened, position });
      return;
    }
    total.debits += debit;
    total.credits += credit;
    if (opened < total.opened) total.opened = opened;
    if (position > total.position) total.position = position;
  }
}

/** Charges of one lease, model and channel that go to the same accounts: what is nothing makes no entry, and so is of another group. */
interface ChargeGroup {
  readonly charge: Charge;
  amount: bigint;
  upstreamCost: bigint;
  readonly opened: Position;
  position: Position;
}

/** The entries of all charges of a group at once: amounts add up, and all else of their accounts is the same. */
const entriesOfGroup = ({ charge, amount, upstreamCost }: ChargeGroup): readonly JournalEntry[] =>
  entriesOf({ type: 'QuotaDebited', data: { ...charge.data, amount: amount as Money, upstreamCost: upstreamCost as Money } });

/** The entries of a batch, those of charges left out, and the totals of the accounts and users of them all. A charge's entries stand in its call. */
export class GatheredEntries {
  readonly #rows: EntryRow[] = [];
  readonly #charges: ChargeGroup[] = [];
  readonly #chargesByLease = new Map<string, ChargeGroup[]>();

  add(event: MoneyEvent): void {
    if (event.type === 'QuotaDebited') this.#addCharge(event);
    else for (const [index, entry] of entriesOf(event).entries()) this.#rows.push({ event, entry, index });
  }

  *statements(): Generator<Statement> {
    const accounts = new Totals();
    const users = new Totals();
    const count = ({ debit, credit, amount, userId, change }: JournalEntry, span: Pick<Total, 'opened' | 'position'>): void => {
      accounts.add(debit, amount, 0n, span);
      accounts.add(credit, 0n, amount, span);
      if (userId !== null) users.add(userId, 0n, change, span);
    };
    for (const { event, entry } of this.#rows) count(entry, { opened: event.position, position: event.position });
    for (const group of this.#charges) for (const entry of entriesOfGroup(group)) count(entry, group);
    yield* rowStatements(WRITE_ENTRIES, ENTRIES, this.#rows);
    yield* rowStatements(WRITE_ACCOUNTS, ACCOUNTS, accounts.all);
    yield* rowStatements(WRITE_USERS, USERS, users.all);
  }

  #addCharge(charge: Charge): void {
    const { leaseId, model, channelId, amount, upstreamCost } = charge.data;
    let ofLease = this.#chargesByLease.get(leaseId);
    if (ofLease === undefined) {
      ofLease = [];
      this.#chargesByLease.set(leaseId, ofLease);
    }
    let group = ofLease.find(
      ({ charge: { data } }) =>
        data.model === model &&
        data.channelId === channelId &&
        data.amount > 0n === amount > 0n &&
        data.upstreamCost > 0n === upstreamCost > 0n,
    );
    if (group === undefined) {
      group = { charge, amount: 0n, upstreamCost: 0n, opened: charge.position, position: charge.position };
      ofLease.push(group);
      this.#charges.push(group);
    }
    group.amount += amount;
    group.upstreamCost += upstreamCost;
    group.position = charge.position;
  }
}
