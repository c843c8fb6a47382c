import { isoInstant } from '../domain/kernel/iso-instant.ts';
import { CommandId, type UserId } from '../schemas/ids.ts';
import type { CommandContext } from './command-context.ts';
import type { Clock } from './ports/clock.ts';
import type { IdSource } from './ports/id-source.ts';

/**
 * The context of what a part of the platform does about something of a user's: `cause` is that thing's id, `actor` says which part. Each
 * call is a command of its own.
 */
export const ownContext = (
  { ids, clock }: { readonly ids: IdSource; readonly clock: Clock },
  actor: string,
  cause: string,
  userId: UserId,
): CommandContext => ({
  commandId: CommandId.parse(ids.next('cmd')),
  correlationId: cause,
  causationId: cause,
  actor: { kind: 'system', id: actor },
  tenant: userId,
  occurredAt: isoInstant(clock.now()),
});
