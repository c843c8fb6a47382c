import { expect } from 'chai';
import { issueToken, type IssueToken } from '../../../commands/tokens/issue-token.ts';
import { runTokenCommand } from '../../../commands/tokens/run-token-command.ts';
import { setKeyCaps } from '../../../commands/tokens/set-caps.ts';
import { registerUser } from '../../../commands/users/register-user.ts';
import { runUserCommand } from '../../../commands/users/run-user-command.ts';
import { dollars } from '../../../domain/ledger/money.ts';
import { UNRESTRICTED } from '../../../schemas/events/token.ts';
import { LeaseId, UserId } from '../../../schemas/ids.ts';
import { commandBench, type CommandBench } from '../../support/command-bench.ts';
import { done, refused } from '../../support/refused.ts';

const newUser = async (bench: CommandBench, email = 'ada@example.com'): Promise<UserId> =>
  done(
    await registerUser(
      bench,
      { email, displayName: 'Ada', role: 'user', group: 'default', timeZone: 'UTC', password: 'between the lines' },
      bench.context(),
    ),
  ).userId;

const asked = (userId: UserId): IssueToken => ({ userId, name: 'laptop', expiresAt: null, restrictions: UNRESTRICTED, caps: {} });

describe('issuing a key', () => {
  it('tells the key once and keeps its hash', async () => {
    const bench = commandBench();
    const { secret, keyPrefix, tokenId } = done(await issueToken(bench, asked(await newUser(bench)), bench.context()));
    const [issued] = bench.eventsOf('token');
    if (issued?.type !== 'TokenIssued') return expect.fail('not issued');
    expect(issued.data).to.include({ tokenId, keyPrefix, keyHash: bench.apiKeys.hashOf(secret) });
    expect(JSON.stringify(bench.log.events.map(({ data, metadata }) => [data, metadata]))).not.to.include(secret);
  });

  it('sets its caps before it exists', async () => {
    const bench = commandBench();
    const userId = await newUser(bench);
    const { tokenId } = done(
      await issueToken(bench, { ...asked(userId), caps: { day: dollars(1), total: dollars(9), month: null } }, bench.context()),
    );
    expect(bench.told().slice(-3)).to.deep.equal(['account CapSet', 'account CapSet', 'token TokenIssued']);
    const { account } = done(await bench.book.read(userId));
    expect([...account.caps]).to.deep.equal([
      [`${tokenId}:day`, dollars(1)],
      [`${tokenId}:total`, dollars(9)],
    ]);
  });

  it('is refused to nobody, to the suspended, and with an expiry in the past', async () => {
    const bench = commandBench();
    const userId = await newUser(bench);
    expect(refused(await issueToken(bench, asked(UserId.parse('usr_nobody')), bench.context())).refused).to.equal('not_found');
    expect(refused(await issueToken(bench, { ...asked(userId), expiresAt: '2025-12-31T23:59:59.999Z' }, bench.context())).refused).to.equal(
      'invalid_request',
    );
    done(await runUserCommand(bench, userId, { kind: 'suspend', reason: '' }, bench.context()));
    expect(refused(await issueToken(bench, asked(userId), bench.context())).refused).to.equal('user_suspended');
  });

  it('makes no second key when the command comes again', async () => {
    const bench = commandBench();
    const userId = await newUser(bench);
    done(await issueToken(bench, asked(userId), bench.context('same')));
    // The first key cannot be told again, and a new one would be a second.
    expect(refused(await issueToken(bench, asked(userId), bench.context('same'))).refused).to.equal('idempotency_conflict');
    expect(bench.eventsOf('token')).to.have.length(1);
  });
});

describe('a key of somebody else', () => {
  it('does not exist', async () => {
    const bench = commandBench();
    const [ada, bob] = [await newUser(bench), await newUser(bench, 'bob@example.com')];
    const { tokenId } = done(await issueToken(bench, asked(ada), bench.context()));
    for (const command of [{ kind: 'revoke', reason: '' }, { kind: 'enable' }, { kind: 'renew', name: 'mine' }] as const) {
      expect(refused(await runTokenCommand(bench, tokenId, command, bench.context(), { ownedBy: bob })).refused).to.equal('not_found');
    }
    expect(refused(await setKeyCaps(bench, { tokenId, ownedBy: bob }, { total: null }, bench.context())).refused).to.equal('not_found');
    done(await runTokenCommand(bench, tokenId, { kind: 'revoke', reason: '' }, bench.context(), { ownedBy: ada }));
  });
});

describe('renewing a key', () => {
  it('needs an expiry in the future, or none', async () => {
    const bench = commandBench();
    const { tokenId } = done(await issueToken(bench, asked(await newUser(bench)), bench.context()));
    expect(
      refused(await runTokenCommand(bench, tokenId, { kind: 'renew', expiresAt: '2026-01-01T00:00:00.000Z' }, bench.context())).refused,
    ).to.equal('invalid_request');
    done(await runTokenCommand(bench, tokenId, { kind: 'renew', expiresAt: '2026-01-01T00:00:00.001Z' }, bench.context()));
    done(await runTokenCommand(bench, tokenId, { kind: 'renew', expiresAt: null }, bench.context()));
  });
});

describe('the quota of a key', () => {
  it('reopens an exhausted key when it leaves something to spend, and only then', async () => {
    const bench = commandBench();
    const userId = await newUser(bench);
    const { tokenId } = done(await issueToken(bench, { ...asked(userId), caps: { total: dollars(2) } }, bench.context()));
    done(await bench.book.execute(userId, { kind: 'grantCredit', amount: dollars(10), source: 'admin', reason: '' }, bench.context()));
    const leaseId = LeaseId.parse('lse_1');
    done(
      await bench.book.execute(
        userId,
        {
          kind: 'grantSpendLease',
          leaseId,
          tokenId,
          holder: 'h',
          least: dollars(2),
          needed: dollars(2),
          ahead: dollars(0),
          now: bench.clock.now(),
          admitsForMs: 1_000,
          graceMs: 1_000,
        },
        bench.context(),
      ),
    );
    done(await bench.book.execute(userId, { kind: 'settleLease', leaseId, spent: dollars(2) }, bench.context()));
    done(await runTokenCommand(bench, tokenId, { kind: 'exhaust' }, bench.context()));
    const reopened = (): number => bench.told().filter((line) => line === 'token TokenRestored').length;

    done(await setKeyCaps(bench, { tokenId }, { day: dollars(5) }, bench.context()));
    done(await setKeyCaps(bench, { tokenId }, { total: dollars(1) }, bench.context()));
    expect(reopened()).to.equal(0);
    done(await setKeyCaps(bench, { tokenId }, { total: dollars(3) }, bench.context()));
    expect(reopened()).to.equal(1);
    done(await runTokenCommand(bench, tokenId, { kind: 'exhaust' }, bench.context()));
    done(await setKeyCaps(bench, { tokenId }, { total: null }, bench.context()));
    expect(reopened()).to.equal(2);
    done(await runTokenCommand(bench, tokenId, { kind: 'exhaust' }, bench.context()));
    done(await runTokenCommand(bench, tokenId, { kind: 'revoke', reason: 'leaked' }, bench.context()));
    done(await setKeyCaps(bench, { tokenId }, { total: dollars(9) }, bench.context()));
    expect(reopened(), 'a revoked key stays revoked').to.equal(2);
  });
});
