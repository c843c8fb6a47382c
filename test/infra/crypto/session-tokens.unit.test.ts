import { expect } from 'chai';
import { masterKeyOf } from '../../../infra/crypto/master-key.ts';
import { sessionTokens } from '../../../infra/crypto/session-tokens.ts';
import { UserId } from '../../../schemas/ids.ts';

const tokens = sessionTokens(masterKeyOf(Buffer.alloc(32, 5)));
const claims = {
  sessionId: 'a1'.repeat(16),
  userId: UserId.parse('usr_abc-1'),
  credentialsRevision: 3,
  startedAt: 1_700_000_000_000,
  expiresAt: 1_700_000_900_000,
};

describe('session tokens', () => {
  it('say what was put into them', () => {
    expect(tokens.open(tokens.seal(claims))).to.deep.equal(claims);
    expect(sessionTokens(masterKeyOf(Buffer.alloc(32, 5))).open(tokens.seal(claims)), 'after a restart').to.deep.equal(claims);
  });

  it('cannot be altered by a single character', () => {
    const token = tokens.seal(claims);
    for (let index = 0; index < token.length; index++) {
      const wrong = token.slice(0, index) + (token[index] === '1' ? '2' : '1') + token.slice(index + 1);
      expect(tokens.open(wrong), wrong).to.equal(null);
    }
  });

  it('are nothing when another installation made them, or nobody', () => {
    expect(sessionTokens(masterKeyOf(Buffer.alloc(32, 6))).open(tokens.seal(claims))).to.equal(null);
    for (const text of ['', '.', 's1', 's1......', 'x'.repeat(10_000)]) expect(tokens.open(text)).to.equal(null);
  });

  it('have a CSRF token that fits one session only', () => {
    const token = tokens.csrfToken(claims.sessionId);
    expect(tokens.isCsrfToken(claims.sessionId, token)).to.equal(true);
    expect(tokens.isCsrfToken(tokens.newSessionId(), token)).to.equal(false);
    expect(tokens.isCsrfToken(claims.sessionId, '')).to.equal(false);
    expect(tokens.isCsrfToken(claims.sessionId, `${token}x`)).to.equal(false);
  });
});
