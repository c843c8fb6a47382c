import type { EventLog } from '../../commands/ports/event-log.ts';
import { decodeEvent } from '../../domain/kernel/event-codec.ts';
import type { AccountEvent } from '../../schemas/events/catalogue.ts';

/**
 * Tells a listener of everything that happens to accounts from now on, whichever process made it happen. Resolves once the
 * signal aborts.
 */
export const followAccounts = async (
  log: Pick<EventLog, 'subscribe' | 'head'>,
  listener: (event: AccountEvent) => void,
  signal: AbortSignal,
): Promise<void> => {
  for await (const message of log.subscribe({ after: await log.head(), filter: { categories: ['account'] }, signal })) {
    if (message.kind !== 'events') continue;
    for (const recorded of message.events) listener(decodeEvent(recorded) as AccountEvent);
  }
};
