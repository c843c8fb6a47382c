import type { z } from 'zod';
import { toDollarText } from '../../domain/ledger/money.ts';
import type { RequestRow } from '../../schemas/http/requests.ts';
import { csvLine } from '../console/csv.ts';

type Row = Omit<z.output<typeof RequestRow>, 'tokenName'>;

const COLUMNS: readonly (readonly [string, (row: Row) => string | number | null])[] = [
  ['request', (row) => row.requestId],
  ['state', (row) => row.state],
  ['user', (row) => row.userId],
  ['key', (row) => row.tokenId],
  ['model', (row) => row.model],
  ['endpoint', (row) => row.endpoint],
  ['streamed', (row) => (row.streamed === null ? null : row.streamed ? 'yes' : 'no')],
  ['status', (row) => row.status],
  ['error', (row) => row.errorCode],
  ['started_at', (row) => row.startedAt],
  ['first_byte_ms', (row) => row.firstByteMs],
  ['duration_ms', (row) => row.durationMs],
  ['input_tokens', (row) => row.inputTokens],
  ['cached_tokens', (row) => row.cachedTokens],
  ['output_tokens', (row) => row.outputTokens],
  ['amount_usd', (row) => toDollarText(row.amount)],
  ['basis', (row) => row.basis],
  ['attempts', (row) => row.attempts],
  ['channel', (row) => row.channelId],
  ['upstream_cost_usd', (row) => (row.upstreamCost === null ? null : toDollarText(row.upstreamCost))],
];

export const REQUEST_CSV_HEAD = csvLine(COLUMNS.map(([name]) => name));

/** Amounts are exact: nine decimals are nano-dollars. */
export const requestCsvLine = (row: Row): string => csvLine(COLUMNS.map(([, read]) => read(row)));
