import { parseCookie, stringifySetCookie } from 'cookie';
import type { Clock } from '../../commands/ports/clock.ts';
import type { EventLog } from '../../commands/ports/event-log.ts';
import { readUser } from '../../commands/users/known-user.ts';
import type { UserId } from '../../schemas/ids.ts';
import type { EndedSessions } from '../ports/ended-sessions.ts';
import type { SessionClaims, SessionTokens } from '../ports/session-tokens.ts';
import type { SignedIn } from './caller.ts';

/** A session that nobody uses ends after twelve hours, any other after a week. */
const IDLE_MS = 12 * 3_600_000;
const LONGEST_MS = 7 * 24 * 3_600_000;
/** A cookie is renewed when it is older than this: not with every call. */
const RENEW_AFTER_MS = 600_000;
/** Most signed-out sessions that are remembered until they would have ended; the oldest go first. */
const REMEMBERED = 10_000;

export interface SessionsDeps {
  readonly tokens: SessionTokens;
  readonly log: Pick<EventLog, 'readStream'>;
  readonly clock: Clock;
  /** `null`: this process alone knows who signed out of it. */
  readonly ended: EndedSessions | null;
}

/**
 * Console sessions. They live in a signed cookie and in no table: restarts and other processes know them all. Every use is
 * checked against the user as the log has him, so a new password or a suspension ends them at once. Signing out empties the
 * cookie, and this process refuses a copy of it; the others too, where they share such news.
 */
export class Sessions {
  readonly #deps: SessionsDeps;
  readonly #ended = new Set<string>();

  constructor(deps: SessionsDeps) {
    this.#deps = deps;
  }

  begin(userId: UserId, credentialsRevision: number): SessionClaims {
    const now = this.#deps.clock.now();
    return { sessionId: this.#deps.tokens.newSessionId(), userId, credentialsRevision, startedAt: now, expiresAt: now + IDLE_MS };
  }

  /** Who is behind a cookie; `null` when it is nobody any more. */
  async resume(token: string): Promise<SignedIn | null> {
    const claims = this.#deps.tokens.open(token);
    return claims === null ? null : this.holds(claims);
  }

  /** It has neither expired nor been ended. Whether its user may still do what he does is another question. */
  isOpen({ sessionId, expiresAt }: SessionClaims): boolean {
    return this.#deps.clock.now() < expiresAt && !this.#hasEnded(sessionId);
  }

  /** The user as he is now, while the session holds. */
  async holds(claims: SessionClaims): Promise<SignedIn | null> {
    if (!this.isOpen(claims)) return null;
    const known = await readUser(this.#deps.log, claims.userId);
    if (known === null || known.user.suspended || known.credentialsRevision !== claims.credentialsRevision) return null;
    const { email, displayName, role, group } = known.user;
    return { kind: 'user', userId: claims.userId, email, displayName, role, group, session: claims };
  }

  /** The session with more time, when it is due for it. */
  renewed(claims: SessionClaims): SessionClaims | null {
    const now = this.#deps.clock.now();
    const expiresAt = Math.min(now + IDLE_MS, claims.startedAt + LONGEST_MS);
    return expiresAt - claims.expiresAt >= RENEW_AFTER_MS ? { ...claims, expiresAt } : null;
  }

  end(claims: SessionClaims): void {
    if (this.#ended.size >= REMEMBERED) {
      const oldest = this.#ended.values().next();
      if (!oldest.done) this.#ended.delete(oldest.value);
    }
    this.#ended.add(claims.sessionId);
    this.#deps.ended?.end(claims.sessionId);
  }

  #hasEnded(sessionId: string): boolean {
    return this.#ended.has(sessionId) || this.#deps.ended?.has(sessionId) === true;
  }

  csrfToken(claims: SessionClaims): string {
    return this.#deps.tokens.csrfToken(claims.sessionId);
  }

  isCsrfToken(claims: SessionClaims, token: string): boolean {
    return this.#deps.tokens.isCsrfToken(claims.sessionId, token);
  }

  /** `Set-Cookie` for a session, or for none. A secure one may not be set by any other host, nor sent over plain HTTP. */
  setCookie(claims: SessionClaims | null, secure: boolean): string {
    return stringifySetCookie({
      name: cookieName(secure),
      value: claims === null ? '' : this.#deps.tokens.seal(claims),
      httpOnly: true,
      sameSite: 'strict',
      secure,
      path: '/',
      maxAge: claims === null ? 0 : Math.max(0, Math.floor((claims.expiresAt - this.#deps.clock.now()) / 1_000)),
    });
  }
}

const cookieName = (secure: boolean): string => (secure ? '__Host-oblivious' : 'oblivious');

/** The session token that came with a request. */
export const sessionCookieOf = (header: string | undefined, secure: boolean): string | undefined =>
  header === undefined ? undefined : parseCookie(header)[cookieName(secure)];
