import { createHash } from 'node:crypto';
import { decodeEvent } from '../domain/kernel/event-codec.ts';
import { streamName } from '../domain/kernel/stream-name.ts';
import type { Refusal } from '../schemas/errors.ts';
import { CommandId, type RequestId } from '../schemas/ids.ts';
import type { CommandContext } from './command-context.ts';
import type { CommandLog } from './command-log.ts';
import { newEvents, refusalOf } from './run-command.ts';

export interface IdempotentCommand {
  readonly operation: string;
  /** As the client sent it. Only its digest reaches the log. */
  readonly key: string;
  readonly requestId: RequestId;
}

/**
 * The context of a command that a client named with an `Idempotency-Key`: the id and the time of its first request, however often
 * it comes. So a repetition derives the same ids, decides the same, and appends nothing.
 */
export const beginCommand = async (
  { log, appender }: CommandLog,
  { operation, key, requestId }: IdempotentCommand,
  context: CommandContext,
): Promise<CommandContext | Refusal> => {
  const stream = streamName(
    'command',
    createHash('sha256').update(`${context.actor.kind}\n${context.actor.id}\n${operation}\n${key}`).digest('hex').slice(0, 40),
  );
  const events = newEvents([{ type: 'CommandBegun', data: { requestId, operation } }], {
    ...context,
    commandId: CommandId.parse(`${requestId}/begin`),
  });
  const outcome = await appender.append({ stream, expectedRevision: 'no_stream', events });
  if (outcome.outcome === 'appended') return context;
  if (outcome.outcome !== 'conflict') return refusalOf(outcome);
  for await (const recorded of log.readStream(stream, { limit: 1 })) {
    const event = decodeEvent(recorded);
    if (event.type === 'CommandBegun')
      return { ...context, commandId: CommandId.parse(event.data.requestId), occurredAt: recorded.metadata.occurredAt };
  }
  throw new Error(`${stream} has been begun and has no first event`);
};
