import type { UserId } from '../../schemas/ids.ts';

/** What a session cookie says. Whether it still holds is for the reader to check against the user. */
export interface SessionClaims {
  /** 128 random bits, hexadecimal. */
  readonly sessionId: string;
  readonly userId: UserId;
  /** Revision of the event that set the password the session began with: any later one makes the session void. */
  readonly credentialsRevision: number;
  /** Milliseconds since the Unix epoch. */
  readonly startedAt: number;
  readonly expiresAt: number;
}

/** Session cookies that need no table: signed, dated, and void as soon as the user they name changed credentials. */
export interface SessionTokens {
  newSessionId(): string;
  seal(claims: SessionClaims): string;
  /** `null` for whatever was not sealed here. Says nothing about expiry. */
  open(token: string): SessionClaims | null;
  /** The token that a page must show for calls that change something; another for each session. */
  csrfToken(sessionId: string): string;
  isCsrfToken(sessionId: string, token: string): boolean;
}
