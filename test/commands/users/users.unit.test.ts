import { expect } from 'chai';
import { changePassword, resetPassword } from '../../../commands/users/change-password.ts';
import { changeProfile } from '../../../commands/users/change-profile.ts';
import { passwordContext } from '../../../commands/users/password-context.ts';
import { registerUser, type RegisterUser } from '../../../commands/users/register-user.ts';
import { runUserCommand } from '../../../commands/users/run-user-command.ts';
import { UserId } from '../../../schemas/ids.ts';
import { commandBench, type CommandBench } from '../../support/command-bench.ts';
import { done, refused } from '../../support/refused.ts';

const ada: RegisterUser = {
  email: 'ada@example.com',
  displayName: 'Ada',
  role: 'user',
  group: 'default',
  timeZone: 'Europe/London',
  password: 'between the lines',
};

const passwordOpens = async (bench: CommandBench, userId: UserId, password: string): Promise<unknown> => {
  const last = bench
    .eventsOf('user')
    .filter((event) => event.type === 'CredentialsChanged')
    .at(-1);
  return last === undefined
    ? 'no credentials'
    : bench.passwords.verify(bench.secretBox.open(last.data.passwordHash, passwordContext(userId)), password);
};

describe('registering', () => {
  it('claims the address, opens the account, then registers', async () => {
    const bench = commandBench();
    const { userId, password } = done(await registerUser(bench, ada, bench.context()));
    expect(bench.told()).to.deep.equal(['email EmailClaimed', 'account AccountOpened', 'user Registered', 'user CredentialsChanged']);
    expect(password).to.equal(null);
    expect(await passwordOpens(bench, userId, 'between the lines')).to.equal(true);
  });

  it('makes a password when none is given, and tells it', async () => {
    const bench = commandBench();
    const { email, displayName, role, group, timeZone } = ada;
    const { userId, password } = done(await registerUser(bench, { email, displayName, role, group, timeZone }, bench.context()));
    expect(await passwordOpens(bench, userId, password ?? '')).to.equal(true);
  });

  it('refuses an address that somebody has, however it is written', async () => {
    const bench = commandBench();
    done(await registerUser(bench, ada, bench.context()));
    expect(refused(await registerUser(bench, { ...ada, email: 'ADA@example.com' }, bench.context()))).to.include({
      refused: 'already_exists',
      param: 'email',
    });
    const both = await Promise.all([1, 2].map(() => registerUser(bench, { ...ada, email: 'bob@example.com' }, bench.context())));
    expect(both.filter((answer) => 'userId' in answer)).to.have.length(1);
  });

  it('refuses a weak password before anything happens', async () => {
    const bench = commandBench();
    expect(refused(await registerUser(bench, { ...ada, password: 'password123' }, bench.context())).refused).to.equal('weak_password');
    expect(bench.told()).to.deep.equal([]);
  });

  it('lets another have an address after a registration that died half-way, but not at once', async () => {
    let armed = true;
    const bench = commandBench({
      beforeAppend: (nth) => {
        if (armed && nth === 1) throw new Error('killed');
      },
    });
    await registerUser(bench, ada, bench.context()).catch(() => undefined);
    armed = false;
    expect(refused(await registerUser(bench, ada, bench.context())).refused).to.equal('already_exists');
    bench.pass(61_000);
    const { userId } = done(await registerUser(bench, ada, bench.context()));
    bench.pass(61_000);
    expect(refused(await registerUser(bench, ada, bench.context())).refused, `${userId} uses it now`).to.equal('already_exists');
  });
});

describe('changing a profile', () => {
  it('moves to a new address and frees the old one', async () => {
    const bench = commandBench();
    const { userId } = done(await registerUser(bench, ada, bench.context()));
    done(await changeProfile(bench, { userId, email: 'countess@example.com' }, bench.context()));
    done(await registerUser(bench, ada, bench.context()));
    expect(refused(await registerUser(bench, { ...ada, email: 'countess@example.com' }, bench.context())).refused).to.equal(
      'already_exists',
    );
  });

  it('keeps the old address when the new one is taken', async () => {
    const bench = commandBench();
    const { userId } = done(await registerUser(bench, ada, bench.context()));
    done(await registerUser(bench, { ...ada, email: 'bob@example.com' }, bench.context()));
    expect(refused(await changeProfile(bench, { userId, email: 'bob@example.com' }, bench.context())).refused).to.equal('already_exists');
    expect(refused(await registerUser(bench, ada, bench.context())).refused).to.equal('already_exists');
  });

  it('claims nothing for a new name', async () => {
    const bench = commandBench();
    const { userId } = done(await registerUser(bench, ada, bench.context()));
    done(await changeProfile(bench, { userId, displayName: 'Ada L.', email: 'ada@example.com' }, bench.context()));
    expect(bench.told().slice(4)).to.deep.equal(['user ProfileChanged']);
  });
});

describe('passwords of users', () => {
  it('are changed by a rule, and say where the change stands', async () => {
    const bench = commandBench();
    const { userId } = done(await registerUser(bench, ada, bench.context()));
    expect(refused(await changePassword(bench, userId, 'short', bench.context())).refused).to.equal('weak_password');
    expect(refused(await changePassword(bench, UserId.parse('usr_nobody'), 'long enough to do', bench.context())).refused).to.equal(
      'not_found',
    );
    expect(done(await changePassword(bench, userId, 'long enough to do', bench.context())).credentialsRevision).to.equal(2);
    expect(await passwordOpens(bench, userId, 'long enough to do')).to.equal(true);
    const { password } = done(await resetPassword(bench, userId, bench.context()));
    expect(await passwordOpens(bench, userId, 'long enough to do')).to.equal(false);
    expect(await passwordOpens(bench, userId, password)).to.equal(true);
  });
});

describe('power over users', () => {
  it('cannot be given up or turned against oneself', async () => {
    const bench = commandBench();
    const { userId } = done(await registerUser(bench, { ...ada, role: 'admin' }, bench.context()));
    const self = { kind: 'user', id: userId } as const;
    expect(refused(await runUserCommand(bench, userId, { kind: 'suspend', reason: '' }, bench.context(undefined, self))).refused).to.equal(
      'wrong_state',
    );
    expect(
      refused(await runUserCommand(bench, userId, { kind: 'assignRole', role: 'user' }, bench.context(undefined, self))).refused,
    ).to.equal('wrong_state');
    done(await runUserCommand(bench, userId, { kind: 'assignGroup', group: 'vip' }, bench.context(undefined, self)));
    done(await runUserCommand(bench, userId, { kind: 'suspend', reason: '' }, bench.context()));
  });

  it('acts on what was seen, when that is said', async () => {
    const bench = commandBench();
    const { userId } = done(await registerUser(bench, ada, bench.context()));
    expect(refused(await runUserCommand(bench, userId, { kind: 'suspend', reason: '' }, bench.context(), 0)).refused).to.equal(
      'revision_mismatch',
    );
    done(await runUserCommand(bench, userId, { kind: 'suspend', reason: '' }, bench.context(), 1));
  });
});
