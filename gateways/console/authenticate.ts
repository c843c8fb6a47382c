import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { refuse, type Refusal } from '../../schemas/errors.ts';
import { isAdministrator, type Caller } from './caller.ts';
import type { Route } from './route.ts';
import { isSameOrigin } from './same-origin.ts';
import { sessionCookieOf, type Sessions } from './sessions.ts';

export interface AuthenticateDeps {
  readonly sessions: Sessions;
  /** What the operator's file holds. */
  readonly operatorToken: string;
  readonly publicUrl: string | undefined;
  readonly secureCookies: boolean;
}

const same = (a: string, b: string): boolean => {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
};

const CHANGES: readonly Route['method'][] = ['post', 'put', 'patch', 'delete'];

/** Whoever calls: the operator by token, a user by cookie, or nobody. An API key is nobody here. */
export const callerOf = async (
  { sessions, operatorToken, secureCookies }: AuthenticateDeps,
  request: IncomingMessage,
): Promise<Caller | null> => {
  const { authorization, cookie } = request.headers;
  if (authorization !== undefined) return same(authorization, `Bearer ${operatorToken}`) ? { kind: 'operator' } : null;
  const token = sessionCookieOf(cookie, secureCookies);
  return token === undefined ? null : sessions.resume(token);
};

/**
 * Whether this caller may use this route, from where he calls. What changes something with a cookie, and signing in, must come
 * from our own pages; with a session it must carry the session's token besides.
 */
export const admit = (
  { sessions, publicUrl }: AuthenticateDeps,
  route: Route,
  caller: Caller | null,
  request: IncomingMessage,
): Refusal | null => {
  if (CHANGES.includes(route.method) && caller?.kind !== 'operator') {
    if (!isSameOrigin(request.headers, publicUrl)) return refuse('csrf_failed');
    const token = request.headers['x-csrf-token'];
    const needsToken = caller !== null && route.auth !== 'public';
    if (needsToken && (typeof token !== 'string' || !sessions.isCsrfToken(caller.session, token)))
      return refuse('csrf_failed', 'The x-csrf-token header is missing or of another session. Load the page anew.');
  }
  if (route.auth === 'public') return null;
  if (caller === null) return refuse('not_signed_in');
  return route.auth === 'admin' && !isAdministrator(caller) ? refuse('forbidden', 'Only administrators may do this.') : null;
};
