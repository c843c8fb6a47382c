import { decodeEvent } from '../../domain/kernel/event-codec.ts';
import { streamName } from '../../domain/kernel/stream-name.ts';
import type { CommandContext } from '../../commands/command-context.ts';
import type { CommandLog } from '../../commands/command-log.ts';
import { LogUnavailable } from '../../commands/log-unavailable.ts';
import { newEvents } from '../../commands/run-command.ts';
import type { AnyWorker } from '../../commands/workers/worker.ts';
import { START, type Position } from '../../schemas/event-envelope.ts';
import { CommandId } from '../../schemas/ids.ts';

const readStart = async ({ log }: CommandLog, name: string): Promise<Position | null> => {
  for await (const recorded of log.readStream(streamName('worker', name), { limit: 1 })) {
    const event = decodeEvent(recorded);
    if (event.type === 'WorkerStarted') return BigInt(event.data.after) as Position;
  }
  return null;
};

/**
 * Where a worker began: recorded in the log the first time that anybody asks, so that it is the same for all processes and outlives
 * the database that keeps checkpoints.
 */
export const workerStart = async (
  deps: CommandLog & { readonly head: () => Promise<Position>; readonly now: () => number },
  { name, from = 'head' }: AnyWorker,
): Promise<Position> => {
  const known = await readStart(deps, name);
  if (known !== null) return known;
  const after = from === 'head' ? await deps.head() : START;
  const context: CommandContext = {
    commandId: CommandId.parse(`worker:${name}/start`),
    correlationId: `worker:${name}`,
    causationId: `worker:${name}`,
    actor: { kind: 'system', id: 'worker' },
    tenant: 'platform',
    occurredAt: new Date(deps.now()).toISOString(),
  };
  const outcome = await deps.appender.append({
    stream: streamName('worker', name),
    expectedRevision: 'no_stream',
    events: newEvents([{ type: 'WorkerStarted', data: { worker: name, after: after.toString() } }], context),
  });
  // Whoever came first has said where; also where this append is the one whose answer was lost.
  const started = await readStart(deps, name);
  if (started === null) throw new LogUnavailable(new Error(`the start of the worker ${name} could not be recorded: ${outcome.outcome}`));
  return started;
};
