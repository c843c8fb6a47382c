import { expect } from 'chai';
import { Registry } from 'prom-client';
import { TaskPoller, type PollPolicy } from '../../../infra/tasks/task-poller.ts';
import { newEvents } from '../../../commands/run-command.ts';
import { taskOf, taskStream, type Task } from '../../../domain/task/task.ts';
import { fold } from '../../../domain/kernel/decider.ts';
import { decodeEvent } from '../../../domain/kernel/event-codec.ts';
import type { SeenTask } from '../../../gateways/relay/tasks/task-desk.ts';
import { listTasks, taskById } from '../../../projections/tasks/queries.ts';
import { tasks } from '../../../projections/tasks/projection.ts';
import type { TaskEvent } from '../../../schemas/events/catalogue.ts';
import { TaskId, UserId } from '../../../schemas/ids.ts';
import type { Money } from '../../../schemas/money.ts';
import { refuse } from '../../../schemas/errors.ts';
import { context } from '../../commands/ledger/ledger-rig.ts';
import { submission } from '../../domain/task/task-samples.ts';
import { memoryLog, type MemoryLog } from '../../support/memory-log.ts';
import { startProjecting, type Projecting } from '../../support/projecting.ts';
import { DATABASES } from '../../support/read-models.ts';
import type { Position } from '../../../schemas/event-envelope.ts';
import type { ReadModels } from '../../../infra/read-models/read-models.ts';

const AGAIN_AT_ONCE = { firstMs: 0, factor: 1, longestMs: 0 };
/** Once, and not again while the test lasts. */
const ONCE = { firstMs: 0.001, factor: 1e12, longestMs: 3_600_000 };
const NEVER = new AbortController().signal;
const AT = '2026-01-01T00:01:00.000Z';
const id = (index: number): TaskId => TaskId.parse(`task_${index}`);

for (const { name, open } of DATABASES)
  describe(`asking about tasks, on ${name}`, function () {
    this.timeout(120_000);
    let models: ReadModels;
    let log: MemoryLog;
    let projecting: Projecting;
    let asked: string[];

    beforeEach(async () => {
      models = await open();
      log = memoryLog();
      asked = [];
      projecting = startProjecting({ feed: log, database: models.database, projections: [tasks] });
    });
    afterEach(async () => {
      await projecting.stop();
      await models.close();
    });

    const tell = async (taskId: TaskId, ...events: readonly TaskEvent[]): Promise<void> => {
      const stream = taskStream(taskId);
      const known = log.events.filter((event) => event.stream === stream).length;
      await log.append([{ stream, expectedRevision: known === 0 ? 'no_stream' : known - 1, events: newEvents(events, context()) }]);
    };
    const submit = (index: number, userId = UserId.parse('usr_1')): Promise<void> =>
      tell(id(index), { type: 'TaskSubmitted', data: submission({ taskId: id(index), userId }) });

    const stateOf = (taskId: TaskId): Task =>
      fold(
        taskOf(taskId),
        log.events.filter(({ stream }) => stream === taskStream(taskId)).map((event) => decodeEvent(event) as TaskEvent),
      );

    /** `become`: what asking finds out. */
    const poller = (
      become: (taskId: TaskId) => Promise<void> = async () => undefined,
      policy: Partial<PollPolicy> = AGAIN_AT_ONCE,
    ): TaskPoller =>
      new TaskPoller({
        database: models.database,
        registry: new Registry(),
        policy,
        desk: {
          read: async (taskId) => {
            const { submission: known, ...task } = stateOf(taskId);
            return known === null ? refuse('not_found') : { ...task, submission: known };
          },
          refresh: async (task): Promise<SeenTask> => {
            const { taskId } = task.submission;
            asked.push(taskId);
            await become(taskId);
            return { task: { ...stateOf(taskId), submission: task.submission }, said: {} };
          },
        },
      });

    /** Once around: with delays of nothing, what still runs would be asked about again and again. */
    const once = (become?: (taskId: TaskId) => Promise<void>): Promise<void> => {
      const stop = new AbortController();
      return poller(async (taskId) => {
        stop.abort();
        await become?.(taskId);
      }).tick(stop.signal);
    };

    it('asks about every open task, and no more about those that are done', async () => {
      await submit(1);
      await submit(2);
      await projecting.caughtUp();
      await once(async (taskId) => {
        if (taskId === id(2)) await tell(id(2), { type: 'TaskSucceeded', data: { taskId, userId: submission().userId, at: AT } });
      });
      expect(asked.sort()).to.deep.equal(['task_1', 'task_2']);
      await projecting.caughtUp();
      asked = [];
      await once();
      expect(asked).to.deep.equal(['task_1']);
    });

    it('goes on about tasks that failed until they are paid back', async () => {
      await submit(1);
      const { userId } = submission();
      await tell(id(1), { type: 'TaskFailed', data: { taskId: id(1), userId, at: AT, code: 'x', reason: 'y' } });
      await projecting.caughtUp();
      await once((taskId) => tell(taskId, { type: 'TaskSettled', data: { taskId, userId, refunded: 400n as Money } }));
      expect(asked).to.deep.equal(['task_1']);
      await projecting.caughtUp();
      await poller().tick(NEVER);
      expect(asked).to.deep.equal(['task_1']);
    });

    it('is done by one process at a time for each task', async () => {
      for (let index = 0; index < 20; index++) await submit(index);
      await projecting.caughtUp();
      const end = async (taskId: TaskId): Promise<void> => {
        await tell(taskId, { type: 'TaskSucceeded', data: { taskId, userId: submission().userId, at: AT } });
      };
      const [first, second] = [poller(end, ONCE), poller(end, ONCE)];
      await Promise.all([first.tick(NEVER), second.tick(NEVER)]);
      expect(new Set(asked).size).to.equal(20);
      expect(asked).to.have.length(20);
    });

    it('lists tasks by their owner, page by page', async () => {
      const other = UserId.parse('usr_2');
      for (let index = 0; index < 4; index++) await submit(index, index === 2 ? other : undefined);
      await projecting.caughtUp();
      const { userId } = submission();
      const page = await listTasks(models.database, { userId, limit: 2 });
      expect(page.map(({ taskId }) => taskId)).to.deep.equal([id(3), id(1)]);
      const rest = await listTasks(models.database, { userId, limit: 2, before: BigInt(page[1]?.submittedPosition ?? 0) as Position });
      expect(rest.map(({ taskId }) => taskId)).to.deep.equal([id(0)]);
      expect((await listTasks(models.database, { userId: null, limit: 9, order: 'asc', after: 0n as Position })).length).to.equal(4);
      expect(await listTasks(models.database, { userId, limit: 9, status: 'failed' })).to.deep.equal([]);
      expect(await taskById(models.database, id(2), userId)).to.equal(null);
      expect((await taskById(models.database, id(2), other))?.userId).to.equal(other);
    });
  });
