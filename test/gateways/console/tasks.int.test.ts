import { expect } from 'chai';
import { newEvents } from '../../../commands/run-command.ts';
import { taskStream } from '../../../domain/task/task.ts';
import { TaskId, type UserId } from '../../../schemas/ids.ts';
import { consoleBench, type ConsoleBench } from '../../support/console-bench.ts';
import { context } from '../../commands/ledger/ledger-rig.ts';
import { submission } from '../../domain/task/task-samples.ts';

describe('tasks in the console', function () {
  this.timeout(120_000);
  let bench: ConsoleBench;
  before(async () => {
    bench = await consoleBench();
  });
  after(() => bench.close());

  const submit = async (name: string, userId: UserId): Promise<string> => {
    const taskId = TaskId.parse(`task_${name}`);
    const events = newEvents([{ type: 'TaskSubmitted', data: submission({ taskId, userId }) }], context());
    await bench.log.append([{ stream: taskStream(taskId), expectedRevision: 'no_stream', events }]);
    return (await bench.log.head()).toString();
  };

  it('are their owner’s to see, and everybody’s to administrators', async () => {
    const [ann, ben, admin] = [await bench.person('ann@example.com'), await bench.person('ben@example.com'), await bench.admin()];
    await submit('a1', ann.userId);
    await submit('a2', ann.userId);
    const after = await submit('b1', ben.userId);
    const ids = (rows: readonly { readonly taskId: string }[]): readonly string[] => rows.map(({ taskId }) => taskId);

    const own = (await ann.get(`/api/tasks?after=${after}`)).body;
    expect(ids(own.rows)).to.deep.equal(['task_a2', 'task_a1']);
    expect(own.rows[0]).to.include({ status: 'submitted', price: '400', channelId: null });
    const page = (await ann.get('/api/tasks?limit=1')).body;
    expect(ids((await ann.get(`/api/tasks?limit=1&cursor=${page.nextCursor}`)).body.rows)).to.deep.equal(['task_a1']);
    expect((await ann.get('/api/tasks?scope=all')).status).to.equal(403);
    expect(ids((await admin.get('/api/tasks?scope=all&status=submitted')).body.rows)).to.have.length(3);
    expect((await admin.get('/api/tasks?scope=all&status=failed')).body.rows).to.deep.equal([]);
    expect((await ben.get('/api/tasks/task_a1')).status).to.equal(404);
    expect((await ann.get('/api/tasks/task_a1')).body).to.include({ taskId: 'task_a1', channelId: null });
    expect((await admin.get('/api/tasks/task_a1')).body.channelId).to.equal(submission().channelId);
  });

  it('are given up by administrators, once', async () => {
    const [cat, admin] = [await bench.person('cat@example.com'), await bench.admin()];
    const after = await submit('c1', cat.userId);
    await admin.get(`/api/tasks/task_c1?after=${after}`);
    expect((await cat.post('/api/tasks/task_c1/cancel', { reason: 'mine' })).status).to.equal(403);
    const done = await admin.post('/api/tasks/task_c1/cancel', { reason: 'it hangs' });
    expect(done.status).to.equal(200);
    const seen = (await cat.get(`/api/tasks/task_c1?after=${done.body.position}`)).body;
    expect(seen).to.deep.include({ status: 'cancelled', failure: { code: 'cancelled', reason: 'it hangs' }, refunded: null });
    expect((await admin.post('/api/tasks/task_c1/cancel', { reason: 'again' })).body.position).to.equal(null);
  });
});
