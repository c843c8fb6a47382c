import { expect } from 'chai';
import { fold } from '../../../domain/kernel/decider.ts';
import { tokenOf, tokenStatus, type TokenCommand } from '../../../domain/token/token.ts';
import type { TokenEvent } from '../../../schemas/events/catalogue.ts';
import { KeyHash, UNRESTRICTED } from '../../../schemas/events/token.ts';
import { TokenId, UserId } from '../../../schemas/ids.ts';
import { given } from '../../support/decider-spec.ts';

const tokenId = TokenId.parse('key_1');
const userId = UserId.parse('usr_1');
const token = tokenOf(tokenId);
const keyHash = KeyHash.parse('ab'.repeat(32));
const issued: TokenEvent = {
  type: 'TokenIssued',
  data: { tokenId, userId, name: 'laptop', keyHash, keyPrefix: 'sk-ob-Xy12', expiresAt: null, restrictions: UNRESTRICTED },
};
const disabled: TokenEvent = { type: 'TokenDisabled', data: { tokenId, reason: 'lost' } };
const enabled: TokenEvent = { type: 'TokenEnabled', data: { tokenId } };
const revoked: TokenEvent = { type: 'TokenRevoked', data: { tokenId, reason: 'leaked' } };
const restored: TokenEvent = { type: 'TokenRestored', data: { tokenId } };
const exhausted: TokenEvent = { type: 'TokenExhausted', data: { tokenId } };
const restrictions = { models: ['gpt-4o'], endpoints: null, addresses: ['10.0.0.0/8'] };

const statusAfter = (...events: readonly TokenEvent[]) => tokenStatus(fold(token, events), Date.parse('2030-01-01T00:00:00.000Z'));

describe('token', () => {
  it('is issued once', () => {
    const issue: TokenCommand = {
      kind: 'issue',
      userId,
      name: 'laptop',
      keyHash,
      keyPrefix: 'sk-ob-Xy12',
      expiresAt: null,
      restrictions: UNRESTRICTED,
    };
    given(token).when(issue).then(issued);
    given(token, issued).when(issue).refuses('already_exists');
  });

  it('does not exist before it is issued', () => {
    for (const command of [
      { kind: 'renew' },
      { kind: 'restrict', restrictions },
      { kind: 'disable', reason: '' },
      { kind: 'enable' },
      { kind: 'revoke', reason: '' },
      { kind: 'restore' },
      { kind: 'exhaust' },
    ] as const) {
      given(token).when(command).refuses('not_found');
    }
  });

  it('is renamed and renewed, changing only what was named', () => {
    given(token, issued)
      .when({ kind: 'renew', name: 'desk' })
      .then({ type: 'TokenRenewed', data: { tokenId, name: 'desk', expiresAt: null } });
    given(token, issued)
      .when({ kind: 'renew', expiresAt: '2031-01-01T00:00:00.000Z' })
      .then({ type: 'TokenRenewed', data: { tokenId, name: 'laptop', expiresAt: '2031-01-01T00:00:00.000Z' } });
    given(token, issued).when({ kind: 'renew', name: 'laptop', expiresAt: null }).changesNothing();
  });

  it('is restricted', () => {
    given(token, issued).when({ kind: 'restrict', restrictions }).then({ type: 'TokenRestricted', data: { tokenId, restrictions } });
    given(token, issued, { type: 'TokenRestricted', data: { tokenId, restrictions } })
      .when({ kind: 'restrict', restrictions: { ...restrictions } })
      .changesNothing();
    given(token, issued, { type: 'TokenRestricted', data: { tokenId, restrictions } })
      .when({ kind: 'restrict', restrictions: UNRESTRICTED })
      .then({ type: 'TokenRestricted', data: { tokenId, restrictions: UNRESTRICTED } });
  });

  it('is disabled and enabled', () => {
    given(token, issued).when({ kind: 'disable', reason: 'lost' }).then(disabled);
    given(token, issued, disabled).when({ kind: 'disable', reason: 'lost again' }).changesNothing();
    given(token, issued, disabled).when({ kind: 'enable' }).then(enabled);
    given(token, issued).when({ kind: 'enable' }).changesNothing();
  });

  it('takes no change while revoked, but for being restored', () => {
    given(token, issued).when({ kind: 'revoke', reason: 'leaked' }).then(revoked);
    given(token, issued, revoked).when({ kind: 'revoke', reason: 'leaked' }).changesNothing();
    for (const command of [
      { kind: 'renew', name: 'x' },
      { kind: 'restrict', restrictions },
      { kind: 'disable', reason: '' },
      { kind: 'enable' },
    ] as const)
      given(token, issued, revoked).when(command).refuses('wrong_state');
    given(token, issued, revoked).when({ kind: 'restore' }).then(restored);
  });

  it('is exhausted once, and restored', () => {
    given(token, issued).when({ kind: 'exhaust' }).then(exhausted);
    given(token, issued, exhausted).when({ kind: 'exhaust' }).changesNothing();
    given(token, issued, exhausted).when({ kind: 'restore' }).then(restored);
    given(token, issued, exhausted).when({ kind: 'reopen' }).then(restored);
    given(token, issued, exhausted, restored).when({ kind: 'reopen' }).changesNothing();
    given(token, issued, exhausted, revoked).when({ kind: 'reopen' }).changesNothing();
    given(token, issued).when({ kind: 'restore' }).changesNothing();
  });

  it('has the status of the gravest thing in its way', () => {
    expect(statusAfter(issued)).to.equal('active');
    expect(statusAfter(issued, exhausted)).to.equal('exhausted');
    expect(statusAfter(issued, disabled, exhausted)).to.equal('disabled');
    expect(statusAfter(issued, disabled, revoked)).to.equal('revoked');
    expect(statusAfter(issued, disabled, revoked, restored)).to.equal('disabled');
    expect(statusAfter(issued, disabled, revoked, restored, enabled)).to.equal('active');
    expect(statusAfter({ ...issued, data: { ...issued.data, expiresAt: '2030-01-01T00:00:00.000Z' } })).to.equal('expired');
    expect(statusAfter({ ...issued, data: { ...issued.data, expiresAt: '2030-01-01T00:00:00.001Z' } })).to.equal('active');
  });
});
