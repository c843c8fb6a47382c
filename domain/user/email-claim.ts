import { refuse, type Refusal } from '../../schemas/errors.ts';
import type { EventOf } from '../../schemas/events/catalogue.ts';
import type { StreamName, UserId } from '../../schemas/ids.ts';
import type { Decider } from '../kernel/decider.ts';
import { streamName } from '../kernel/stream-name.ts';

/** One stream for each address, named for its digest: stream names are shown in places where addresses have no business. */
export const emailStream = (digest: string): StreamName => streamName('email', digest);

type ClaimEvent = EventOf<'EmailClaimed' | 'EmailReleased'>;

/** Who has the address. */
export type EmailClaim = UserId | null;

export type EmailClaimCommand =
  | { readonly kind: 'claim'; readonly userId: UserId }
  /** From a user who is known not to use the address after all. */
  | { readonly kind: 'takeOver'; readonly userId: UserId; readonly from: UserId }
  | { readonly kind: 'release'; readonly userId: UserId };

const decide = (command: EmailClaimCommand, holder: EmailClaim): readonly ClaimEvent[] | Refusal => {
  const { kind, userId } = command;
  if (kind === 'release') return holder === userId ? [{ type: 'EmailReleased', data: { userId } }] : [];
  if (holder === userId) return [];
  if (holder !== null && (kind === 'claim' || command.from !== holder))
    return refuse('already_exists', 'Somebody has registered with this e-mail address already.', { param: 'email' });
  return [{ type: 'EmailClaimed', data: { userId } }];
};

/** That an address belongs to one user at most, decided where it can be: on a stream of its own. */
export const emailClaim: Decider<EmailClaim, EmailClaimCommand, ClaimEvent> = {
  initial: null,
  evolve: (_holder, { type, data }) => (type === 'EmailClaimed' ? data.userId : null),
  decide,
};
