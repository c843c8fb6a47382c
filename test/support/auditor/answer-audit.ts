import type { RecordedCall } from '../fake-upstream/record.ts';
import type { ClientCall } from '../load/client-call.ts';
import type { Charge, LedgerAudit } from './ledger-audit.ts';

/** Nano-dollars for one token of each class. */
export interface TokenPrices {
  readonly input: bigint;
  readonly cached: bigint;
  readonly output: bigint;
}

export interface AnswerFindings {
  readonly violations: readonly string[];
  /** Calls by what their client saw. */
  readonly seen: Readonly<Record<ClientCall['seen'], number>>;
  readonly upstreamCalls: number;
  /** Charges joined to the upstream's record by request id, by usage that no other call reported, and by elimination. */
  readonly joined: { readonly byRequest: number; readonly byUsage: number; readonly byElimination: number };
  /** Charged, but the client did not see the end: the answer was cut, or its connection was. */
  readonly unseen: number;
  /** Calls that an upstream answered in full and that are charged to nobody, because their gateway died with them. */
  readonly uncharged: number;
}

const dollarsOf = (amount: bigint): string => {
  const text = amount.toString().padStart(10, '0');
  return `${text.slice(0, -9)}.${text.slice(-9)}`.replace(/\.?0+$/, '');
};

const usageKey = ({ prompt, cached, output }: ClientCall['usage']): string => `${prompt - cached}/${cached}/${output}`;

const chargedUsageKey = ({ usage }: Charge): string => `${usage['input'] ?? 0}/${usage['cachedInput'] ?? 0}/${usage['output'] ?? 0}`;

const markerOf = (upstreamCall: RecordedCall): string | null => /"user":"(call-\d+)"/.exec(upstreamCall.body.toString('utf8'))?.[1] ?? null;

/**
 * Lays the clients' record, the upstream's record and the charges of the log side by side. What a client saw complete must be charged
 * exactly once, at the price of what the upstream reported; and no charge may lack a call that reached the upstream.
 */
export const auditAnswers = (
  clients: readonly ClientCall[],
  upstream: readonly RecordedCall[],
  ledger: Pick<LedgerAudit, 'charges' | 'released'>,
  prices: TokenPrices,
): AnswerFindings => {
  const violations: string[] = [];
  const seen = { complete: 0, refused: 0, left: 0, broken: 0 };
  const byRequest = new Map<string, ClientCall>();
  const byUsage = new Map<string, ClientCall>();
  for (const client of clients) {
    seen[client.seen]++;
    if (client.requestId !== null) {
      if (byRequest.has(client.requestId)) violations.push(`request id ${client.requestId} was given to two calls`);
      byRequest.set(client.requestId, client);
    }
    byUsage.set(usageKey(client.usage), client);
  }
  const upstreamByMarker = new Map<string, RecordedCall[]>();
  for (const upstreamCall of upstream) {
    const marker = markerOf(upstreamCall);
    if (marker !== null) upstreamByMarker.set(marker, [...(upstreamByMarker.get(marker) ?? []), upstreamCall]);
  }

  const joined = { byRequest: 0, byUsage: 0, byElimination: 0 };
  const chargesByMarker = new Map<string, Charge>();
  const unjoined: Charge[] = [];
  for (const charge of ledger.charges.values()) {
    let client = byRequest.get(charge.requestId);
    if (client !== undefined) joined.byRequest++;
    else if (charge.basis === 'reported') {
      client = byUsage.get(chargedUsageKey(charge));
      if (client !== undefined) joined.byUsage++;
    }
    if (client === undefined) {
      unjoined.push(charge);
      continue;
    }
    const { marker } = client;
    if (chargesByMarker.has(marker))
      violations.push(`${marker} is charged twice: ${String(chargesByMarker.get(marker)?.requestId)} and ${charge.requestId}`);
    chargesByMarker.set(marker, charge);
    if (!upstreamByMarker.has(marker)) violations.push(`${marker} is charged as ${charge.requestId} and never reached the upstream`);
  }

  // Charges whose client got no headers and whose usage was not reported: each needs a call of the upstream that nothing else stands for.
  const free = clients.filter(
    ({ marker, requestId }) => requestId === null && !chargesByMarker.has(marker) && upstreamByMarker.has(marker),
  );
  joined.byElimination = Math.min(unjoined.length, free.length);
  for (const charge of unjoined.slice(free.length))
    violations.push(`${charge.requestId} (${charge.basis}) is charged and no call of the upstream stands behind it`);

  let unseen = 0;
  let uncharged = 0;
  for (const client of clients) {
    const { marker, requestId, usage } = client;
    const charge = requestId === null ? undefined : ledger.charges.get(requestId);
    if (client.seen === 'complete') {
      if (charge === undefined) {
        violations.push(`${marker} (${String(requestId)}) was answered in full and is not charged`);
        continue;
      }
      if (client.cost !== null && dollarsOf(charge.amount) !== client.cost)
        violations.push(`${marker} was told a cost of ${client.cost} and is charged ${dollarsOf(charge.amount)}`);
      const due =
        BigInt(usage.prompt - usage.cached) * prices.input + BigInt(usage.cached) * prices.cached + BigInt(usage.output) * prices.output;
      if (client.ordinary && (charge.amount !== due || charge.basis !== 'reported'))
        violations.push(`${marker} used what comes to ${due} and is charged ${charge.amount} (${charge.basis})`);
    } else if (chargesByMarker.has(marker)) unseen++;
    // Where the log gave no answer in time nobody can know: such a call may be on record, but it was not served.
    if (client.seen === 'refused' && client.error !== 'log_unavailable' && chargesByMarker.has(marker))
      violations.push(`${marker} was refused (${String(client.error)}) and is charged`);
    if (client.seen === 'refused' && client.status !== null && client.status < 500 && upstreamByMarker.has(marker))
      violations.push(`${marker} was refused with ${client.status} and reached the upstream all the same`);
    if (!chargesByMarker.has(marker) && upstreamByMarker.get(marker)?.some(({ outcome }) => outcome === 'complete') === true) uncharged++;
  }
  return { violations, seen, upstreamCalls: upstream.length, joined, unseen, uncharged: Math.max(0, uncharged - joined.byElimination) };
};
