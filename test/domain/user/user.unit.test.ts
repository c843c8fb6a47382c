import { userOf } from '../../../domain/user/user.ts';
import type { UserEvent } from '../../../schemas/events/catalogue.ts';
import { UserId } from '../../../schemas/ids.ts';
import { Sealed } from '../../../schemas/sealed.ts';
import { given } from '../../support/decider-spec.ts';
import { expect } from 'chai';

const userId = UserId.parse('usr_1');
const user = userOf(userId);
const passwordHash = Sealed.parse('env1.0123456789abcdef.d2s.Y3Q');
const registered: UserEvent = {
  type: 'Registered',
  data: { userId, email: 'ada@example.com', displayName: 'Ada', role: 'user', group: 'default' },
};
const credentials: UserEvent = { type: 'CredentialsChanged', data: { userId, passwordHash } };
const suspended: UserEvent = { type: 'Suspended', data: { userId, reason: 'unpaid' } };

describe('user', () => {
  it('is registered with credentials, once', () => {
    const register = {
      kind: 'register',
      email: 'ada@example.com',
      displayName: 'Ada',
      role: 'user',
      group: 'default',
      passwordHash,
    } as const;
    given(user).when(register).then(registered, credentials);
    given(user, registered).when(register).refuses('already_exists');
  });

  it('does not exist before it is registered', () => {
    for (const command of [
      { kind: 'changeProfile' },
      { kind: 'assignRole', role: 'admin' },
      { kind: 'assignGroup', group: 'vip' },
      { kind: 'changeCredentials', passwordHash },
      { kind: 'suspend', reason: '' },
      { kind: 'reinstate' },
    ] as const) {
      given(user).when(command).refuses('not_found');
    }
  });

  it('changes only what was named', () => {
    given(user, registered)
      .when({ kind: 'changeProfile', displayName: 'Ada L.' })
      .then({ type: 'ProfileChanged', data: { userId, email: 'ada@example.com', displayName: 'Ada L.' } });
    given(user, registered)
      .when({ kind: 'changeProfile', email: 'l@example.com' })
      .then({ type: 'ProfileChanged', data: { userId, email: 'l@example.com', displayName: 'Ada' } });
    given(user, registered).when({ kind: 'changeProfile', displayName: 'Ada' }).changesNothing();
  });

  it('takes a role and a group', () => {
    given(user, registered)
      .when({ kind: 'assignRole', role: 'admin' })
      .then({ type: 'RoleAssigned', data: { userId, role: 'admin' } });
    given(user, registered).when({ kind: 'assignRole', role: 'user' }).changesNothing();
    given(user, registered)
      .when({ kind: 'assignGroup', group: 'vip' })
      .then({ type: 'GroupAssigned', data: { userId, group: 'vip' } });
    given(user, registered, { type: 'GroupAssigned', data: { userId, group: 'vip' } })
      .when({ kind: 'assignGroup', group: 'vip' })
      .changesNothing();
  });

  it('is suspended and reinstated', () => {
    given(user, registered).when({ kind: 'suspend', reason: 'unpaid' }).then(suspended);
    given(user, registered, suspended).when({ kind: 'suspend', reason: 'again' }).changesNothing();
    given(user, registered, suspended).when({ kind: 'reinstate' }).then({ type: 'Reinstated', data: { userId } });
    given(user, registered).when({ kind: 'reinstate' }).changesNothing();
    given(user, registered)
      .when({ kind: 'suspend', reason: 'x' })
      .leaves((state) => expect(state.suspended).to.equal(true));
  });

  it('takes new credentials even while suspended', () => {
    given(user, registered, suspended).when({ kind: 'changeCredentials', passwordHash }).then(credentials);
  });
});
