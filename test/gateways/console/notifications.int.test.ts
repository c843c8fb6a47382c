import { expect } from 'chai';
import { runNotificationCommand } from '../../../commands/notifications/run-notification-command.ts';
import { insertWork } from '../../../infra/workers/work-table.ts';
import { migrateWork } from '../../../infra/workers/work-schema.ts';
import type { Audience } from '../../../schemas/events/notification.ts';
import { ChannelId, NotificationId } from '../../../schemas/ids.ts';
import { consoleBench, type ConsoleBench } from '../../support/console-bench.ts';
import { done } from '../../support/refused.ts';

interface Row {
  readonly notificationId: string;
  readonly read: boolean;
}

describe('the console’s notifications', () => {
  let bench: ConsoleBench;
  before(async function () {
    this.timeout(120_000);
    bench = await consoleBench();
  });
  after(() => bench.close());

  const raise = async (id: string, audience: Audience): Promise<void> => {
    const tidings = { kind: 'channel_disabled', channelId: ChannelId.parse('chn_1'), name: 'One', by: 'platform', reason: 'r' } as const;
    done(await runNotificationCommand(bench, NotificationId.parse(id), { kind: 'raise', audience, tidings }, bench.context()));
    await bench.projecting.caughtUp();
  };
  const idsOf = (answer: { readonly body: { readonly rows: readonly Row[] } }): string[] =>
    answer.body.rows.map(({ notificationId }) => notificationId);

  it('are each reader’s own, and administrators’ for all of them', async () => {
    const [ann, bob, admin] = [await bench.person('ann@example.com'), await bench.person('bob@example.com'), await bench.admin()];
    await raise('ntf_ann', { kind: 'user', userId: ann.userId });
    await raise('ntf_all', { kind: 'administrators' });
    await raise('ntf_ann2', { kind: 'user', userId: ann.userId });

    expect(idsOf(await ann.get('/api/notifications'))).to.deep.equal(['ntf_ann2', 'ntf_ann']);
    expect(idsOf(await bob.get('/api/notifications'))).to.deep.equal([]);
    expect(idsOf(await admin.get('/api/notifications'))).to.deep.equal(['ntf_all']);
    expect(idsOf(await bench.operator().get('/api/notifications'))).to.deep.equal(['ntf_all']);
    expect((await ann.get('/api/notifications/unread')).body).to.deep.equal({ unread: 2 });

    const first = await ann.get('/api/notifications?limit=1');
    expect(idsOf(first)).to.deep.equal(['ntf_ann2']);
    expect(idsOf(await ann.get(`/api/notifications?limit=1&cursor=${first.body.nextCursor}`))).to.deep.equal(['ntf_ann']);
  });

  it('are read by one reader at a time, and by nobody whom they are not for', async () => {
    const [cat, admin, other] = [
      await bench.person('cat@example.com'),
      await bench.admin(),
      await bench.person('dan@example.com', 'admin'),
    ];
    await raise('ntf_cat', { kind: 'user', userId: cat.userId });
    await raise('ntf_both', { kind: 'administrators' });
    expect((await admin.post('/api/notifications/ntf_cat/read')).status).to.equal(404);
    expect((await cat.post('/api/notifications/ntf_both/read')).status).to.equal(404);

    const { body } = await cat.post('/api/notifications/ntf_cat/read');
    const after = await cat.get(`/api/notifications?after=${body.position}`);
    expect(after.body.rows[0]).to.include({ notificationId: 'ntf_cat', read: true });
    expect((await cat.get('/api/notifications/unread')).body).to.deep.equal({ unread: 0 });
    expect((await cat.get('/api/notifications?unread=true')).body.rows).to.deep.equal([]);
    expect((await cat.post('/api/notifications/ntf_cat/read')).body).to.deep.equal({ position: null });

    const all = await admin.post('/api/notifications/read');
    expect((await admin.get(`/api/notifications/unread?after=${all.body.position}`)).body).to.deep.equal({ unread: 0 });
    expect((await other.get('/api/notifications/unread')).body.unread).to.be.greaterThan(0);
    expect((await admin.post('/api/notifications/read')).body).to.deep.equal({ position: null });
    expect((await bench.operator().post('/api/notifications/read')).status).to.equal(404);
  });

  it('and workers show what they have parked beside read models', async () => {
    const admin = await bench.admin();
    await bench.database.transaction(async (tx) => {
      await migrateWork(tx);
      await insertWork(
        tx,
        'test-worker',
        bench.log.events.slice(0, 3).map((event) => ({ event, attempts: 6, delayMs: null, error: 'no' })),
      );
    });
    const page = (await admin.get('/api/parked?limit=2')).body;
    expect(page.rows).to.have.length(2);
    const rest = (await admin.get(`/api/parked?limit=2&cursor=${page.nextCursor}`)).body;
    expect(rest.rows).to.have.length(1);
    expect((await admin.get('/api/parked?worker=nobody')).body.rows).to.deep.equal([]);
    expect((await admin.get('/api/parked?projection=journal')).body.rows).to.deep.equal([]);
    const [{ parkedId }] = page.rows;
    expect((await admin.get(`/api/parked/${parkedId}`)).body.event.eventId).to.equal(bench.log.events[0]?.eventId);
    expect((await admin.get('/api/workers')).body.rows[0]).to.include({ name: 'test-worker', parked: 3, process: null });
    expect((await admin.post(`/api/parked/${parkedId}/retry`)).status).to.equal(200);
    expect((await admin.post(`/api/parked/${rest.rows[0].parkedId}/discard`)).status).to.equal(200);
    expect((await admin.get('/api/workers')).body.rows[0]).to.include({ waiting: 1, parked: 1 });
    expect((await admin.post(`/api/parked/${parkedId}/discard`)).status).to.equal(404);
  });
});
