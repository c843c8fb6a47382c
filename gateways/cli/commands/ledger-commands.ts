import { z } from 'zod';
import { emailStreamOf } from '../../../commands/users/email-address.ts';
import { readState } from '../../../commands/read-state.ts';
import { emailClaim } from '../../../domain/user/email-claim.ts';
import { entriesOf, JOURNAL_TYPES } from '../../../domain/ledger/journal.ts';
import { decodeEvent } from '../../../domain/kernel/event-codec.ts';
import { ChargeExplanation, JournalRow } from '../../../schemas/http/ledger.ts';
import type { JsonObject } from '../../../schemas/event-envelope.ts';
import type { Wire } from '../../../schemas/http/wire.ts';
import { LeaseId, RequestId } from '../../../schemas/ids.ts';
import type { Money } from '../../../schemas/money.ts';
import { explainCharge } from '../../console/charge-explanation.ts';
import type { OpenedData } from '../../ports/command-line-host.ts';
import type { Command, Outcome, Run } from '../command.ts';
import { EXIT, fail, isFailure, type Failure } from '../failure.ts';
import { LedgerAudit, type AuditSummary } from '../ledger-audit.ts';
import { dollarsOf, listing, ProgressBar, table } from '../render.ts';
import { argument, instantOf, optional, userIdIn } from './given.ts';
import { headOf, readLog } from './log-rows.ts';

type Entry = Wire<typeof JournalRow>;
type Explanation = Wire<typeof ChargeExplanation>;

/** What changes no balance is no line of a statement. */
const SILENT: readonly string[] = ['hold', 'hold_returned', 'upstream_cost'];

/** A user's statement, newest first, added up from the log. */
const statementFrom = async (
  data: OpenedData,
  userId: string,
  limit: number,
  range: { readonly from: string | undefined; readonly to: string | undefined },
): Promise<readonly Entry[]> => {
  const entries: Entry[] = [];
  let balance = 0n;
  for await (const recorded of data.log.readAll({ filter: { types: [...JOURNAL_TYPES] } })) {
    const { position, recordedAt } = recorded;
    const event = decodeEvent(recorded) as Parameters<typeof entriesOf>[0];
    entriesOf(event).forEach((entry, index) => {
      if (entry.userId !== userId) return;
      balance += entry.change;
      if (
        SILENT.includes(entry.kind) ||
        (range.from !== undefined && recordedAt < range.from) ||
        (range.to !== undefined && recordedAt >= range.to)
      )
        return;
      entries.push(
        z.encode(JournalRow, {
          ...entry,
          entryId: `${position}.${index}`,
          position: position.toString(),
          recordedAt,
          balance: balance as Money,
        }),
      );
      if (entries.length > limit) entries.shift();
    });
  }
  return entries.reverse();
};

/** The same from the log alone: the debit names its lease, and the lease's stream has the rest. */
const explanationFrom = async (data: OpenedData, requestId: string): Promise<Explanation | Failure> => {
  for await (const recorded of data.log.readAll({ filter: { types: ['QuotaDebited'] } })) {
    if (recorded.data.requestId !== requestId) continue;
    const explained = await explainCharge(data.log, LeaseId.parse(recorded.data.leaseId), RequestId.parse(requestId));
    if (explained !== null) return z.encode(ChargeExplanation, explained);
  }
  return fail(EXIT.refused, 'There is no such charge.');
};

const explain = (charge: Explanation): string => {
  const { lines, groupRatio, exact, computed, held, amount, overdrawn, refunded, tierAbovePromptTokens, agrees } = charge;
  return [
    listing([
      ['request', charge.requestId],
      ['model', charge.model],
      ['recorded', `${charge.recordedAt} at position ${charge.position}`],
      [
        'price list',
        `${charge.priceListTitle} (${charge.priceListId})${tierAbovePromptTokens === null ? '' : `, tier above ${tierAbovePromptTokens} prompt tokens`}`,
      ],
      ['usage', charge.basis],
    ]),
    table(
      [
        { title: 'CLASS', cell: (line) => line.class },
        { title: 'QUANTITY', cell: ({ quantity }) => quantity, right: true },
        { title: 'RATE', cell: ({ rate, per }) => `${dollarsOf(rate)} per ${per === 'million' ? 'million' : 'piece'}`, right: true },
        { title: 'NANO-DOLLARS', cell: (line) => line.exact, right: true },
      ],
      lines,
    ),
    listing([
      ['group ratio', (groupRatio / 1_000_000).toString()],
      ['exact', `${exact} nano-dollars`],
      ['rounded up', dollarsOf(computed)],
      ['held', dollarsOf(held)],
      ['charged', dollarsOf(amount)],
      ...(overdrawn === '0' ? [] : [['not covered', dollarsOf(overdrawn)] as const]),
      ...(refunded === '0' ? [] : [['refunded', dollarsOf(refunded)] as const]),
      ['', agrees ? 'The rule gives what was charged.' : 'THE RULE DOES NOT GIVE WHAT WAS CHARGED.'],
    ]),
  ].join('\n');
};

const verdict = ({ broken, ...summary }: AuditSummary): string =>
  [
    listing([
      ['events', summary.events],
      ['charges', summary.charges],
      ['charged', dollarsOf(summary.charged)],
      ['refunded', dollarsOf(summary.refunded)],
      ['overdrawn', dollarsOf(summary.overdrawn)],
      ['available', dollarsOf(summary.available)],
      ['held', `${dollarsOf(summary.held)} in ${summary.openLeases} open leases, for ${summary.openHolds} calls`],
      ['trial balance', dollarsOf(summary.trialBalance)],
    ]),
    broken === null
      ? 'Every rule holds.\n'
      : `BROKEN: ${broken.rule}\n  ${broken.what}\n  at position ${broken.position}: ${broken.type} on ${broken.stream}\n`,
  ].join('\n');

export const ledgerCommands: readonly Command[] = [
  {
    name: 'ledger statement',
    about: 'Show what moved somebody’s balance, newest first, with the balance after it.',
    args: [{ name: 'user', about: 'Id (usr_…) or e-mail address.' }],
    options: {
      from: { value: 'TIME', about: 'Not before this.' },
      to: { value: 'TIME', about: 'Before this.' },
      limit: { value: 'N', about: 'At most so many, up to 200; 50 unless given.' },
    },
    examples: ['ledger statement ada@example.com', 'ledger statement usr_0mb2… --from 2026-08-01 --to 2026-09-01 --json'],
    run: async (run: Run): Promise<Outcome> => {
      const [from, to] = [optional(run, 'from', instantOf), optional(run, 'to', instantOf)];
      if (isFailure(from)) return from;
      if (isFailure(to)) return to;
      const { limit = '50' } = run.options;
      if (!/^[1-9]\d{0,2}$/.test(limit) || Number(limit) > 200) return fail(EXIT.usage, '--limit takes a number from 1 to 200.');
      const target = await run.target();
      if (isFailure(target)) return target;
      const asked = argument(run, 'user');
      let rows: readonly Entry[];
      if (target.kind === 'server') {
        const userId = await userIdIn(target.api, asked);
        if (isFailure(userId)) return userId;
        const page = await target.api.call('listJournal', { query: { userId, from, to, limit } });
        if (isFailure(page)) return page;
        rows = page.rows;
      } else {
        const userId = asked.includes('@') ? await readState(target.data.log, emailStreamOf(asked), emailClaim) : asked;
        if (userId === null) return fail(EXIT.refused, `Nobody has the address ${asked}.`);
        rows = await statementFrom(target.data, userId, Number(limit), { from, to });
      }
      run.tell(rows, () =>
        table(
          [
            { title: 'RECORDED', cell: ({ recordedAt }) => recordedAt },
            { title: 'KIND', cell: ({ kind }) => kind },
            { title: 'CHANGE', cell: ({ change }) => dollarsOf(change), right: true },
            { title: 'BALANCE', cell: ({ balance }) => (balance === null ? '' : dollarsOf(balance)), right: true },
            {
              title: 'WHAT',
              cell: ({ model, requestId, note }) => [model, requestId, note].filter((part) => part !== null && part !== '').join('  '),
            },
          ],
          rows,
        ),
      );
      return 0;
    },
  },
  {
    name: 'ledger explain',
    about: 'Show how a charge came about. Exit code 1 when the rule does not give what was charged.',
    args: [{ name: 'charge', about: 'Id of the request that was charged (req_…).' }],
    examples: ['ledger explain req_0mb2…', 'ledger explain req_0mb2… --json'],
    run: async (run: Run): Promise<Outcome> => {
      const target = await run.target();
      if (isFailure(target)) return target;
      const requestId = argument(run, 'charge');
      const charge =
        target.kind === 'server'
          ? await target.api.call('explainCharge', { params: { requestId } })
          : await explanationFrom(target.data, requestId);
      if (isFailure(charge)) return charge;
      run.tell(charge, () => explain(charge));
      return charge.agrees ? 0 : 1;
    },
  },
  {
    name: 'ledger verify',
    about: 'Add the whole ledger up again from the log and check every rule. Exit code 1 at the first event that breaks one.',
    examples: ['ledger verify', 'ledger verify --json'],
    run: async (run: Run): Promise<Outcome> => {
      const target = await run.target();
      if (isFailure(target)) return target;
      const head = await headOf(target);
      if (isFailure(head)) return head;
      const rows = await readLog(target, {});
      if (isFailure(rows)) return rows;
      const audit = new LedgerAudit();
      const bar = new ProgressBar(run.host.stderr, 'Verifying');
      let count = 0;
      try {
        for await (const { position, data, ...event } of rows) {
          // What is recorded meanwhile belongs to the next look.
          if (BigInt(position) > head || audit.broken !== null) break;
          audit.observe({ ...event, position: BigInt(position), data: data as JsonObject });
          if (++count % 1_000 === 0) bar.show(Number(position) / Number(head), `${count} events`);
        }
      } finally {
        bar.clear();
      }
      if (run.host.interrupted.aborted) return fail(EXIT.failed, `Interrupted after ${count} events.`);
      const summary = audit.summary();
      run.tell(summary, () => verdict(summary));
      return summary.broken === null ? 0 : 1;
    },
  },
];
