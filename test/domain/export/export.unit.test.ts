import { exportOf } from '../../../domain/export/export.ts';
import type { ExportEvent } from '../../../schemas/events/catalogue.ts';
import { ExportId, UserId } from '../../../schemas/ids.ts';
import { given } from '../../support/decider-spec.ts';

const exportId = ExportId.parse('exp_1');
const one = exportOf(exportId);
const asked = {
  requestedBy: UserId.parse('usr_1'),
  rows: { of: 'journal', owner: UserId.parse('usr_1'), view: 'statement' },
  format: 'csv',
  withCosts: false,
} as const;
const file = { position: '9', rows: 3, bytes: 100, sha256: 'a'.repeat(64), expiresAt: '2026-01-08T00:00:00.000Z' };
const requested: ExportEvent = { type: 'ExportRequested', data: { exportId, ...asked } };
const completed: ExportEvent = { type: 'ExportCompleted', data: { exportId, ...file } };
const failed: ExportEvent = { type: 'ExportFailed', data: { exportId, reason: 'no room' } };
const cancelled: ExportEvent = { type: 'ExportCancelled', data: { exportId } };
const expired: ExportEvent = { type: 'ExportExpired', data: { exportId } };

describe('export', () => {
  it('is requested once', () => {
    given(one)
      .when({ kind: 'request', ...asked })
      .then(requested);
    given(one, requested)
      .when({ kind: 'request', ...asked })
      .changesNothing();
    for (const command of [{ kind: 'cancel' }, { kind: 'complete', ...file }, { kind: 'fail', reason: '' }] as const)
      given(one).when(command).refuses('not_found');
  });

  it('is completed once, also after it was given up', () => {
    given(one, requested)
      .when({ kind: 'complete', ...file })
      .then(completed);
    given(one, requested, failed)
      .when({ kind: 'complete', ...file })
      .then(completed);
    given(one, requested, completed)
      .when({ kind: 'complete', ...file })
      .refuses('wrong_state');
    given(one, requested, cancelled)
      .when({ kind: 'complete', ...file })
      .refuses('wrong_state');
  });

  it('fails only while it is being made, and says why as far as there is room', () => {
    given(one, requested).when({ kind: 'fail', reason: 'no room' }).then(failed);
    given(one, requested)
      .when({ kind: 'fail', reason: 'x'.repeat(900) })
      .then({ type: 'ExportFailed', data: { exportId, reason: 'x'.repeat(500) } });
    given(one, requested, completed).when({ kind: 'fail', reason: 'late' }).changesNothing();
  });

  it('is cancelled only while it is being made', () => {
    given(one, requested).when({ kind: 'cancel' }).then(cancelled);
    given(one, requested, cancelled).when({ kind: 'cancel' }).changesNothing();
    given(one, requested, completed).when({ kind: 'cancel' }).refuses('wrong_state');
  });

  it('expires when its time has come, once', () => {
    given(one, requested, completed).when({ kind: 'expire', now: file.expiresAt }).then(expired);
    given(one, requested, completed).when({ kind: 'expire', now: '2026-01-07T23:59:59.999Z' }).changesNothing();
    given(one, requested, completed, expired).when({ kind: 'expire', now: file.expiresAt }).changesNothing();
    given(one, requested).when({ kind: 'expire', now: file.expiresAt }).changesNothing();
  });
});
