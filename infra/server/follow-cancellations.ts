import type { EventLog } from '../../commands/ports/event-log.ts';
import { decodeEvent } from '../../domain/kernel/event-codec.ts';

/**
 * Ends the answers that are made here and are not wanted any more from now on, whichever process was told so. Resolves once the signal
 * aborts.
 */
export const followCancellations = async (
  log: Pick<EventLog, 'subscribe' | 'head'>,
  responses: { readonly cancel: (responseId: string) => void; readonly forget: (responseId: string) => Promise<void> },
  signal: AbortSignal,
): Promise<void> => {
  const filter = { types: ['ResponseCancelled', 'ResponseDeleted'] };
  for await (const message of log.subscribe({ after: await log.head(), filter, signal })) {
    if (message.kind !== 'events') continue;
    for (const recorded of message.events) {
      const event = decodeEvent(recorded);
      if (event.type === 'ResponseCancelled') responses.cancel(event.data.responseId);
      else if (event.type === 'ResponseDeleted') await responses.forget(event.data.responseId);
    }
  }
};
