import { notificationOf, type Reader } from '../../../domain/notification/notification.ts';
import type { NotificationEvent } from '../../../schemas/events/catalogue.ts';
import type { Audience, Tidings } from '../../../schemas/events/notification.ts';
import { NotificationId, UserId } from '../../../schemas/ids.ts';
import type { Money } from '../../../schemas/money.ts';
import { given } from '../../support/decider-spec.ts';

const notificationId = NotificationId.parse('ntf_1');
const ann = UserId.parse('usr_ann');
const notification = notificationOf(notificationId);
const tidings: Tidings = { kind: 'low_balance', userId: ann, balance: 5n as Money, threshold: 10n as Money };
const raised = (audience: Audience): NotificationEvent => ({ type: 'NotificationRaised', data: { notificationId, audience, tidings } });
const forAnn = raised({ kind: 'user', userId: ann });
const forAdministrators = raised({ kind: 'administrators' });
const reader = (name: string, isAdministrator = false): Reader => ({ userId: UserId.parse(`usr_${name}`), isAdministrator });
const read = (name: string): NotificationEvent => ({
  type: 'NotificationRead',
  data: { notificationId, userId: UserId.parse(`usr_${name}`) },
});

describe('notification', () => {
  it('is raised once', () => {
    const raise = { kind: 'raise', audience: { kind: 'user', userId: ann }, tidings } as const;
    given(notification).when(raise).then(forAnn);
    given(notification, forAnn).when(raise).changesNothing();
  });

  it('is read once by whom it is for, and is nothing to anybody else', () => {
    given(notification, forAnn)
      .when({ kind: 'read', reader: reader('ann') })
      .then(read('ann'));
    given(notification, forAnn, read('ann'))
      .when({ kind: 'read', reader: reader('ann') })
      .changesNothing();
    given(notification, forAnn)
      .when({ kind: 'read', reader: reader('bob') })
      .refuses('not_found');
    given(notification, forAnn)
      .when({ kind: 'read', reader: reader('bob', true) })
      .refuses('not_found');
    given(notification)
      .when({ kind: 'read', reader: reader('ann') })
      .refuses('not_found');
  });

  it('of administrators is read by each of them', () => {
    given(notification, forAdministrators, read('ann'))
      .when({ kind: 'read', reader: reader('bob', true) })
      .then(read('bob'));
    given(notification, forAdministrators)
      .when({ kind: 'read', reader: reader('bob') })
      .refuses('not_found');
  });

  it('is delivered once', () => {
    const delivered: NotificationEvent = { type: 'NotificationDelivered', data: { notificationId, attempts: 3 } };
    given(notification, forAnn).when({ kind: 'recordDelivery', attempts: 3 }).then(delivered);
    given(notification, forAnn, delivered).when({ kind: 'recordDelivery', attempts: 4 }).changesNothing();
    given(notification).when({ kind: 'recordDelivery', attempts: 1 }).refuses('not_found');
  });
});
