import { toDollarText } from '../../domain/ledger/money.ts';
import { refuse, type Refusal } from '../../schemas/errors.ts';
import type { Money } from '../../schemas/money.ts';
import type { Call } from './call.ts';
import type { StreamCloser } from './dialects/answer-dialect.ts';
import { scanObject, splice, type Span } from './json-spans.ts';
import { dataSpan, DONE } from './sse.ts';
import { errorToTell, endedByClient } from './stream-end.ts';
import type { StreamOptions, StreamResult } from './stream.ts';

const usageSpan = (event: Buffer): Span | null => {
  const at = dataSpan(event);
  return at === null ? null : (scanObject(event, ['usage'], { from: at.start }).spans[0] ?? null);
};

/** The upstream's usage chunk with the cost put in; every other byte is as it came. */
const withCost = (event: Buffer, cost: Money): Buffer => {
  const span = usageSpan(event);
  if (span === null || event[span.end - 1] !== 0x7d) return event;
  const empty = event.toString('latin1', span.start + 1, span.end - 1).trim() === '';
  return splice(event, [{ start: span.end - 1, end: span.end - 1, text: `${empty ? '' : ','}"cost":"${toDollarText(cost)}"` }]);
};

/** Tokens as they were charged, for a usage chunk that the upstream did not send. */
export interface ChargedTokens {
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly estimated: boolean;
}

const ownUsageChunk = (call: Call, chunkObject: string, cost: Money, { promptTokens, outputTokens, estimated }: ChargedTokens): string =>
  `data: ${JSON.stringify({
    id: `chatcmpl-${call.requestId}`,
    object: chunkObject,
    created: Math.floor(call.startedAt / 1_000),
    model: call.model,
    choices: [],
    usage: {
      prompt_tokens: promptTokens,
      completion_tokens: outputTokens,
      total_tokens: promptTokens + outputTokens,
      cost: toDollarText(cost),
      ...(estimated ? { estimated } : {}),
    },
  })}\n\n`;

const brokenEvent = (call: Call, refusal: Refusal, closer: StreamCloser | null): Buffer =>
  closer === null ? Buffer.from(`data: ${call.dialect.errorBody(refusal, call.requestId)}\n\n`) : closer.broken(refusal);

/** The last events of a stream, once its charge is on record; and its end. `last`: those of a stream that is whole, in its client's dialect. */
export const endStream = (
  call: Call,
  result: StreamResult,
  charged: { readonly cost: Money; readonly tokens: ChargedTokens | null } | null,
  {
    usageWanted,
    chunkObject,
    closer,
    last: written,
  }: Pick<StreamOptions, 'usageWanted' | 'chunkObject'> & { readonly closer: StreamCloser | null; readonly last: Buffer | null },
): void => {
  const { body } = call;
  if (body === null || call.clientGone || endedByClient(result.end)) {
    call.res.destroy();
    return;
  }
  const pieces: Buffer[] = [];
  const code = errorToTell(result.end);
  if (code !== null) pieces.push(brokenEvent(call, refuse(code), closer));
  else if (closer !== null) {
    if (written !== null) pieces.push(written);
  } else {
    if (usageWanted && charged !== null) {
      if (result.usageEvent !== null) pieces.push(withCost(result.usageEvent, charged.cost));
      else if (charged.tokens !== null) pieces.push(Buffer.from(ownUsageChunk(call, chunkObject, charged.cost, charged.tokens)));
    }
    if (result.end === 'done') pieces.push(result.doneEvent ?? DONE);
    else if (result.doneEvent !== null) pieces.push(result.doneEvent);
  }
  const last = Buffer.concat(pieces);
  call.sent?.push(last);
  body.end(last);
};

/** Ends a stream whose charge the log refused: what was sent is sent, but nobody is told that it is complete. */
export const endStreamRefused = (call: Call, refusal: Refusal, closer: StreamCloser | null): void => {
  if (call.clientGone || call.body === null) call.res.destroy();
  else call.body.end(brokenEvent(call, refusal, closer));
};
