import { createHash } from 'node:crypto';
import { decodeAs } from '../../domain/kernel/event-codec.ts';
import { streamName } from '../../domain/kernel/stream-name.ts';
import { refuse, type Refusal } from '../../schemas/errors.ts';
import type { CommandId, RequestId, StreamName, TokenId } from '../../schemas/ids.ts';
import { orLogUnavailable } from '../log-unavailable.ts';
import type { Appender } from '../ports/appender.ts';
import type { EventLog } from '../ports/event-log.ts';
import { newEvents, refusalOf } from '../run-command.ts';

export interface IdempotencyClaim {
  readonly tokenId: TokenId;
  /** As the client sent it. Only its digest reaches the log. */
  readonly key: string;
  /** Hex SHA-256 of the request body. */
  readonly payloadHash: string;
  readonly requestId: RequestId;
  readonly occurredAt: string;
}

export const callStream = (tokenId: TokenId, key: string): StreamName =>
  streamName('call', createHash('sha256').update(`${tokenId}\n${key}`).digest('hex').slice(0, 40));

/**
 * Makes an `Idempotency-Key` belong to one request, for every process and across restarts: the stream of the key can be
 * begun once. Whoever comes second learns whether he is a repeat (`idempotency_spent`: the answer is not kept in the log) or a
 * misuse (`idempotency_conflict`).
 */
export const claimIdempotencyKey = (
  log: Pick<EventLog, 'readStream'>,
  appender: Appender,
  claim: IdempotencyClaim,
): Promise<null | Refusal> => orLogUnavailable(beginStream(log, appender, claim));

const beginStream = async (log: Pick<EventLog, 'readStream'>, appender: Appender, claim: IdempotencyClaim): Promise<null | Refusal> => {
  const { tokenId, key, payloadHash, requestId, occurredAt } = claim;
  const stream = callStream(tokenId, key);
  const events = newEvents([{ type: 'IdempotencyKeyClaimed', data: { requestId, tokenId, payloadHash } }], {
    commandId: `${requestId}:claim` as CommandId,
    correlationId: requestId,
    causationId: requestId,
    actor: { kind: 'token', id: tokenId },
    tenant: tokenId,
    occurredAt,
  });
  const outcome = await appender.append({ stream, expectedRevision: 'no_stream', events });
  if (outcome.outcome === 'appended') return null;
  if (outcome.outcome !== 'conflict') return refusalOf(outcome);
  for await (const recorded of log.readStream(stream, { limit: 1 })) {
    if (decodeAs<'IdempotencyKeyClaimed'>(recorded).data.payloadHash !== payloadHash) return refuse('idempotency_conflict');
  }
  return refuse('idempotency_spent');
};
