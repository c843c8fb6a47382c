import type { EventLog } from '../../../commands/ports/event-log.ts';
import type { RecordedCall } from '../fake-upstream/record.ts';
import type { ClientCall } from '../load/client-call.ts';
import { auditAnswers, type AnswerFindings, type TokenPrices } from './answer-audit.ts';
import { LedgerAudit, type LedgerTotals } from './ledger-audit.ts';

export interface RunRecords {
  readonly log: Pick<EventLog, 'readAll'>;
  readonly clients: readonly ClientCall[];
  readonly upstream: readonly RecordedCall[];
  readonly prices: TokenPrices;
}

export interface Findings {
  readonly ledger: LedgerTotals;
  readonly answers: AnswerFindings;
  /** Everything that breaks a rule, in words; empty is clean. */
  readonly violations: readonly string[];
}

/** How far apart two looks at one clock of a busy machine may be, in ms. */
const ADMISSION_SLACK_MS = 1_000;

/** Audits a run that has come to rest: the whole log, and the three records of every call against each other. */
export const auditRun = async ({ log, clients, upstream, prices }: RunRecords): Promise<Findings> => {
  const audit = new LedgerAudit({ admissionSlackMs: ADMISSION_SLACK_MS });
  for await (const event of log.readAll()) audit.observe(event);
  audit.atRest();
  const answers = auditAnswers(clients, upstream, audit, prices);
  const broken = audit.violations.map(
    ({ rule, what, position, stream }) => `rule ${rule}: ${what}${position === null ? '' : ` (position ${position}, ${String(stream)})`}`,
  );
  return { ledger: audit.totals(), answers, violations: [...broken, ...answers.violations] };
};

const dollars = (amount: bigint): string => `$${(Number(amount) / 1e9).toFixed(6)}`;

/** What was found, for people. */
export const reportOf = (
  title: string,
  { ledger, answers, violations }: Findings,
  more: readonly (readonly [string, string])[] = [],
): string => {
  const { seen, joined } = answers;
  const rows: readonly (readonly [string, string])[] = [
    ...more,
    ['calls', `${seen.complete} complete, ${seen.refused} refused, ${seen.left} left by the client, ${seen.broken} broken`],
    ['upstream', `${answers.upstreamCalls} calls`],
    ['log', `${ledger.events} events, ${ledger.leases} leases, ${ledger.holds} holds`],
    ['charged', `${ledger.charges} calls, ${dollars(ledger.charged)}; ${ledger.overdrafts} overdrawn by ${dollars(ledger.overdrawn)}`],
    ['released', `${ledger.released} holds, ${ledger.reconcile} of them to be reconciled with the upstream`],
    ['joined', `${joined.byRequest} by request id, ${joined.byUsage} by usage, ${joined.byElimination} by elimination`],
    ['unseen', `${answers.unseen} charged whose client did not see the end; ${answers.uncharged} answered upstream and charged to nobody`],
    ['verdict', violations.length === 0 ? 'clean' : `${violations.length} violations`],
  ];
  const shown = violations.slice(0, 20).map((violation) => `  ! ${violation}`);
  return [title, ...rows.map(([name, value]) => `  ${name.padEnd(10)} ${value}`), ...shown, ''].join('\n');
};
