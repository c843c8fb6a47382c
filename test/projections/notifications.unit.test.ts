import { expect } from 'chai';
import { notifications } from '../../projections/notifications/projection.ts';
import type { NotificationId, UserId } from '../../schemas/ids.ts';
import type { Money } from '../../schemas/money.ts';
import { given, instantOf } from '../support/projection-spec.ts';

const notificationId = 'ntf_1' as NotificationId;
const userId = 'usr_1' as UserId;
const raised = {
  type: 'NotificationRaised',
  data: {
    notificationId,
    audience: { kind: 'user', userId },
    tidings: { kind: 'low_balance', userId, balance: 7n as Money, threshold: 10n as Money },
  },
} as const;
const fresh = { ...raised.data, raisedAt: instantOf(0), raisedPosition: '1', readBy: [], delivered: false };

describe('notifications', () => {
  it('shows one as it was raised', () => expect(given(notifications, raised)).to.deep.equal({ ntf_1: fresh }));

  it('remembers who has read it, and that it was delivered', () =>
    expect(
      given(
        notifications,
        raised,
        { type: 'NotificationRead', data: { notificationId, userId } },
        { type: 'NotificationDelivered', data: { notificationId, attempts: 1 } },
      ),
    ).to.deep.equal({ ntf_1: { ...fresh, readBy: [userId], delivered: true } }));
});
