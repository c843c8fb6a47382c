import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { SessionTokens } from '../../gateways/ports/session-tokens.ts';
import { UserId } from '../../schemas/ids.ts';
import type { MasterKey } from './master-key.ts';

const VERSION = 's1';
const SESSION_ID = /^[0-9a-f]{32}$/;

const same = (a: string, b: string): boolean => {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
};

const count = (text: string | undefined): number | null => (text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null);

/** `s1.{session}.{user}.{credentials revision}.{started}.{expires}.{HMAC-SHA-256}`: plain to read, impossible to make. */
export const sessionTokens = (master: MasterKey): SessionTokens => {
  const cookieKey = master.derive('session cookie');
  const csrfKey = master.derive('session csrf');
  const mac = (key: Buffer, text: string): string => createHmac('sha256', key).update(text).digest('base64url');
  return {
    newSessionId: () => randomBytes(16).toString('hex'),
    seal: ({ sessionId, userId, credentialsRevision, startedAt, expiresAt }) => {
      const body = [VERSION, sessionId, userId, credentialsRevision, startedAt, expiresAt].join('.');
      return `${body}.${mac(cookieKey, body)}`;
    },
    open: (token) => {
      if (token.length > 512) return null;
      const end = token.lastIndexOf('.');
      if (end < 0 || !same(token.slice(end + 1), mac(cookieKey, token.slice(0, end)))) return null;
      const [version, sessionId = '', user, revision, started, expires] = token.slice(0, end).split('.');
      const userId = UserId.safeParse(user);
      const [credentialsRevision, startedAt, expiresAt] = [count(revision), count(started), count(expires)];
      if (
        version !== VERSION ||
        !SESSION_ID.test(sessionId) ||
        !userId.success ||
        credentialsRevision === null ||
        startedAt === null ||
        expiresAt === null
      )
        return null;
      return { sessionId, userId: userId.data, credentialsRevision, startedAt, expiresAt };
    },
    csrfToken: (sessionId) => mac(csrfKey, sessionId),
    isCsrfToken: (sessionId, token) => same(token, mac(csrfKey, sessionId)),
  };
};
