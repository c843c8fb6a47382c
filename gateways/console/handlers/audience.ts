import { isRefusal, refuse, type Refusal } from '../../../schemas/errors.ts';
import type { Position } from '../../../schemas/event-envelope.ts';
import type { UserId } from '../../../schemas/ids.ts';
import type { Owner, PageAsked, TimeRange } from '../../ports/console-reads.ts';
import { isAdministrator, type Caller } from '../caller.ts';

/**
 * Whose data a caller asks for and may see: his own unless he says otherwise; others' and everybody's for administrators.
 * The operator is nobody in particular, and asks for everybody's.
 */
export const ownerOf = (
  caller: Caller,
  asked: { readonly scope?: 'mine' | 'all' | undefined; readonly userId?: UserId | undefined },
): Owner | Refusal => {
  const own = caller.kind === 'user' ? caller.userId : 'everybody';
  if (asked.userId !== undefined)
    return asked.userId === own || isAdministrator(caller) ? asked.userId : refuse('forbidden', 'Only administrators see what others do.');
  if (asked.scope !== 'all') return own;
  return isAdministrator(caller) ? 'everybody' : refuse('forbidden', 'Only administrators see what others do.');
};

/** Whether something of this user is the caller's to see and to change. */
export const mayTouch = (caller: Caller, userId: UserId): boolean =>
  isAdministrator(caller) || (caller.kind === 'user' && caller.userId === userId);

/** For commands on keys: administrators' reach over everybody's, others' over their own. */
export const ownedBy = (caller: Caller): { readonly ownedBy?: UserId } =>
  caller.kind === 'user' && !isAdministrator(caller) ? { ownedBy: caller.userId } : {};

/** The caller's own account. */
export const selfOf = (caller: Caller): UserId | Refusal =>
  caller.kind === 'user' ? caller.userId : refuse('not_found', 'The operator has no account. Sign in as somebody, or name a user.');

/** What an answer to a command says of the log. */
export const doneAt = <Answer extends { readonly position: Position | null }>(
  answer: Answer | Refusal,
): { readonly position: string | null } | Refusal => (isRefusal(answer) ? answer : { position: positionText(answer.position) });

export const positionText = (position: Position | null): string | null => position?.toString() ?? null;

const PAGE = 50;

export const pageOf = ({ cursor, limit }: { readonly cursor?: string | undefined; readonly limit?: number | undefined }): PageAsked => ({
  cursor,
  limit: limit ?? PAGE,
});

/** What was given of a range, in milliseconds. */
export const givenRange = ({ from, to }: { readonly from?: string | undefined; readonly to?: string | undefined }): Partial<TimeRange> => ({
  ...(from === undefined ? {} : { from: Date.parse(from) }),
  ...(to === undefined ? {} : { to: Date.parse(to) }),
});

/** A whole range: up to now and as long as usual, where the caller did not say. */
export const wholeRange = (
  asked: { readonly from?: string | undefined; readonly to?: string | undefined },
  now: number,
  usualMs: number,
): TimeRange | Refusal => {
  const given = givenRange(asked);
  const to = given.to ?? now;
  const from = given.from ?? to - usualMs;
  return from < to ? { from, to } : refuse('invalid_request', 'from must lie before to.', { param: 'from' });
};
