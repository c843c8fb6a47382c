import type { z } from 'zod';
import { tokenTotals } from '../../projections/usage/token-totals.ts';
import type { EventOf } from '../../schemas/events/catalogue.ts';
import type { RequestRow } from '../../schemas/http/requests.ts';
import type { Money } from '../../schemas/money.ts';
import type { Caller } from './caller.ts';
import { isAdministrator } from './caller.ts';

type Row = z.output<typeof RequestRow>;

/** How a call ended, as a row of the request log: from the event itself, before any read model has it. */
export const rowOfEnd = ({ type, data }: EventOf<'QuotaDebited' | 'QuotaReleased'>, recordedAt: string): Row => {
  const { requestId, userId, tokenId, model, call } = data;
  const tokens = tokenTotals(type === 'QuotaDebited' ? data.usage : {});
  return {
    requestId,
    state: type === 'QuotaDebited' ? 'charged' : 'released',
    userId,
    tokenId,
    tokenName: null,
    model,
    endpoint: call?.endpoint ?? null,
    streamed: call?.streamed ?? null,
    status: call?.status ?? null,
    errorCode: call?.errorCode ?? null,
    startedAt: call?.startedAt ?? recordedAt,
    firstByteMs: call?.firstByteMs ?? null,
    durationMs: call?.durationMs ?? null,
    inputTokens: tokens.input,
    cachedTokens: tokens.cached,
    outputTokens: tokens.output,
    amount: type === 'QuotaDebited' ? data.amount : (0n as Money),
    basis: type === 'QuotaDebited' ? data.basis : null,
    attempts: call?.attempts.length ?? 0,
    channelId: type === 'QuotaDebited' ? data.channelId : (call?.attempts.at(-1)?.channelId ?? null),
    upstreamCost: type === 'QuotaDebited' ? data.upstreamCost : (0n as Money),
  };
};

/** What upstreams charge is the operator's business. */
export const shownTo = (caller: Caller, row: Row): Row => (isAdministrator(caller) ? row : { ...row, upstreamCost: null });
