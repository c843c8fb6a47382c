import { GatheredRows, rowsFrom, rowStatements, type Column } from '../engine/columns.ts';
import { jsonParameter } from '../engine/json-parameter.ts';
import type { ProjectedEvent } from '../engine/projected-event.ts';
import type { Statement } from '../engine/projection.ts';
import { tokenTotals, type TokenTotals } from '../usage/token-totals.ts';
import { callTable, runningTable } from './tables.ts';

type Began = ProjectedEvent<'QuotaReserved'>;
type Ended = ProjectedEvent<'QuotaDebited' | 'QuotaReleased'>;

interface EndedCall {
  readonly event: Ended;
  /** Of the same batch; without it the call may be known to run. */
  readonly began: Began | undefined;
  readonly tokens: TokenTotals;
}

type Charge = ProjectedEvent<'QuotaDebited'>['data'];
type Release = ProjectedEvent<'QuotaReleased'>['data'];

const NO_USAGE = {};
const NO_ATTEMPTS = '[]';

const chargeOf = ({ event }: EndedCall): Charge | undefined => (event.type === 'QuotaDebited' ? event.data : undefined);
const releaseOf = ({ event }: EndedCall): Release | undefined => (event.type === 'QuotaReleased' ? event.data : undefined);

const ENDED: readonly Column<EndedCall>[] = [
  { name: 'position', type: 'int8', of: ({ event }) => event.position },
  { name: 'recorded_at', type: 'timestamptz', of: ({ event }) => event.recordedAt },
  { name: 'started_at', type: 'timestamptz', of: ({ event, began }) => event.data.call?.startedAt ?? began?.occurredAt },
  { name: 'held', type: 'int8', of: ({ began }) => began?.data.amount },
  { name: 'amount', type: 'int8', of: (call) => chargeOf(call)?.amount ?? 0n },
  { name: 'computed', type: 'int8', of: (call) => chargeOf(call)?.computed ?? 0n },
  { name: 'upstream_cost', type: 'int8', of: (call) => chargeOf(call)?.upstreamCost ?? 0n },
  { name: 'input_tokens', type: 'int8', of: ({ tokens }) => tokens.input },
  { name: 'cached_tokens', type: 'int8', of: ({ tokens }) => tokens.cached },
  { name: 'output_tokens', type: 'int8', of: ({ tokens }) => tokens.output },
  { name: 'group_ratio', type: 'int4', of: (call) => chargeOf(call)?.groupRatio },
  { name: 'first_byte_ms', type: 'int4', of: ({ event }) => event.data.call?.firstByteMs },
  { name: 'duration_ms', type: 'int4', of: ({ event }) => event.data.call?.durationMs },
  { name: 'status', type: 'int2', of: ({ event }) => event.data.call?.status },
  { name: 'streamed', type: 'bool', of: ({ event }) => event.data.call?.streamed },
  { name: 'reconcile', type: 'bool', of: (call) => releaseOf(call)?.reconcile ?? false },
  { name: 'state', type: 'text', of: ({ event }) => (event.type === 'QuotaDebited' ? 'charged' : 'released') },
  { name: 'request_id', type: 'text', of: ({ event }) => event.data.requestId },
  { name: 'user_id', type: 'text', of: ({ event }) => event.data.userId },
  { name: 'token_id', type: 'text', of: ({ event }) => event.data.tokenId },
  { name: 'lease_id', type: 'text', of: ({ event }) => event.data.leaseId },
  { name: 'model', type: 'text', of: ({ event }) => event.data.model },
  { name: 'channel_id', type: 'text', of: (call) => chargeOf(call)?.channelId ?? call.event.data.call?.attempts.at(-1)?.channelId },
  { name: 'endpoint', type: 'text', of: ({ event }) => event.data.call?.endpoint },
  { name: 'error_code', type: 'text', of: ({ event }) => event.data.call?.errorCode },
  { name: 'basis', type: 'text', of: (call) => chargeOf(call)?.basis },
  { name: 'price_list_id', type: 'text', of: (call) => chargeOf(call)?.priceListId ?? call.began?.data.priceListId },
  { name: 'release_reason', type: 'text', of: (call) => releaseOf(call)?.reason },
  { name: 'usage', type: 'text', of: ({ event }) => (event.type === 'QuotaDebited' ? jsonParameter(event.data.usage) : null) },
  {
    name: 'attempts',
    type: 'text',
    of: ({ event: { data } }) => (data.call === undefined ? NO_ATTEMPTS : jsonParameter(data.call.attempts)),
  },
];

const NAMES = ENDED.map(({ name }) => name);

/** What is only known from the beginning of the call, where it is not known from its end. */
const FROM_BEGINNING: Readonly<Record<string, string>> = {
  started_at: 'coalesce(e.started_at, b.started_at, e.recorded_at)',
  held: 'coalesce(b.held, 0)',
  price_list_id: 'coalesce(e.price_list_id, b.price_list_id)',
};

/** Calls that began and ended in one batch never were in the table of those that run. */
const WRITE_WHOLE = `INSERT INTO ${callTable} (${NAMES.join(', ')}) SELECT * FROM ${rowsFrom(ENDED, 'e')}`;

const WRITE_ENDED = `
  WITH ended AS (SELECT * FROM ${rowsFrom(ENDED, 'e')}),
  began AS (DELETE FROM ${runningTable} WHERE request_id IN (SELECT request_id FROM ended) RETURNING request_id, held, started_at, price_list_id)
  INSERT INTO ${callTable} (${NAMES.join(', ')})
  SELECT ${NAMES.map((name) => FROM_BEGINNING[name] ?? `e.${name}`).join(', ')} FROM ended AS e LEFT JOIN began AS b USING (request_id)`;

const RUNNING: readonly Column<Began>[] = [
  { name: 'request_id', type: 'text', of: ({ data }) => data.requestId },
  { name: 'position', type: 'int8', of: ({ position }) => position },
  { name: 'user_id', type: 'text', of: ({ data }) => data.userId },
  { name: 'token_id', type: 'text', of: ({ data }) => data.tokenId },
  { name: 'lease_id', type: 'text', of: ({ data }) => data.leaseId },
  { name: 'model', type: 'text', of: ({ data }) => data.model },
  { name: 'price_list_id', type: 'text', of: ({ data }) => data.priceListId },
  { name: 'held', type: 'int8', of: ({ data }) => data.amount },
  { name: 'recorded_at', type: 'timestamptz', of: ({ recordedAt }) => recordedAt },
  { name: 'started_at', type: 'timestamptz', of: ({ occurredAt }) => occurredAt },
];

const WRITE_RUNNING = `INSERT INTO ${runningTable} (${RUNNING.map(({ name }) => name).join(', ')}) SELECT * FROM ${rowsFrom(RUNNING, 'r')}`;

/** The rows of calls that began or ended in a batch. */
export class GatheredCalls {
  readonly #running = new Map<string, Began>();
  readonly #whole = new GatheredRows(WRITE_WHOLE, ENDED);
  readonly #ended = new GatheredRows(WRITE_ENDED, ENDED);

  add(event: Began | Ended): void {
    const { requestId } = event.data;
    if (event.type === 'QuotaReserved') {
      this.#running.set(requestId, event);
      return;
    }
    const began = this.#running.get(requestId);
    if (began !== undefined) this.#running.delete(requestId);
    const tokens = tokenTotals(event.type === 'QuotaDebited' ? event.data.usage : NO_USAGE);
    (began === undefined ? this.#ended : this.#whole).add({ event, began, tokens });
  }

  *statements(): Generator<Statement> {
    yield* this.#whole.statements();
    yield* this.#ended.statements();
    yield* rowStatements(WRITE_RUNNING, RUNNING, [...this.#running.values()]);
  }
}
