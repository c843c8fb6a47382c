import { expect } from 'chai';
import fc from 'fast-check';
import { hasEnded, owesRefund, taskOf, type Task, type TaskCommand } from '../../../domain/task/task.ts';
import { isRefusal } from '../../../schemas/errors.ts';
import type { TaskEvent } from '../../../schemas/events/catalogue.ts';
import { UserId } from '../../../schemas/ids.ts';
import type { Money } from '../../../schemas/money.ts';
import { check } from '../../ledger/seed.ts';
import { given } from '../../support/decider-spec.ts';
import { owner, submission, taskId } from './task-samples.ts';

const task = taskOf(taskId);
const at = '2026-01-01T00:01:00.000Z';
const submitted: TaskEvent = { type: 'TaskSubmitted', data: submission() };
const progressed = (status: 'queued' | 'in_progress', percent: number): TaskEvent => ({
  type: 'TaskProgressed',
  data: { taskId, status, percent, at },
});
const succeeded: TaskEvent = { type: 'TaskSucceeded', data: { taskId, userId: owner, at } };
const failed: TaskEvent = { type: 'TaskFailed', data: { taskId, userId: owner, at, code: 'moderation', reason: 'no' } };
const news = (status: 'queued' | 'in_progress', percent = 0): TaskCommand => ({ kind: 'report', news: { status, percent }, at });

const ORDER = ['submitted', 'queued', 'in_progress'];

const anyCommand: fc.Arbitrary<TaskCommand> = fc.oneof(
  fc
    .record({ status: fc.constantFrom('queued' as const, 'in_progress' as const), percent: fc.integer({ min: -20, max: 150 }) })
    .map((said): TaskCommand => ({ kind: 'report', news: said, at })),
  fc.constant<TaskCommand>({ kind: 'report', news: { status: 'succeeded' }, at }),
  fc.constant<TaskCommand>({ kind: 'report', news: { status: 'failed', code: 'x', reason: 'y' }, at }),
  fc.constant<TaskCommand>({ kind: 'cancel', reason: 'z', at }),
  fc.constantFrom(at, '2026-01-03T00:00:00.000Z').map((then): TaskCommand => ({ kind: 'expire', at: then })),
  fc.bigInt({ min: 0n, max: 500n }).map((refunded): TaskCommand => ({ kind: 'settle', refunded: refunded as Money })),
  fc.constantFrom('usr_1', 'usr_2').map((user): TaskCommand => ({ kind: 'delete', userId: UserId.parse(user), at })),
);

describe('task', () => {
  it('is submitted once', () => {
    given(task).when({ kind: 'submit', submission: submission() }).then(submitted);
    given(task, submitted).when({ kind: 'submit', submission: submission() }).refuses('already_exists');
    for (const command of [news('queued'), { kind: 'cancel', reason: '', at }, { kind: 'expire', at }] as const)
      given(task).when(command).refuses('not_found');
  });

  it('goes on in steps of ten points, and never back', () => {
    given(task, submitted).when(news('queued')).then(progressed('queued', 0));
    given(task, submitted).when(news('in_progress', 3.7)).then(progressed('in_progress', 3));
    given(task, submitted, progressed('in_progress', 3)).when(news('in_progress', 12)).changesNothing();
    given(task, submitted, progressed('in_progress', 3)).when(news('in_progress', 13)).then(progressed('in_progress', 13));
    given(task, submitted, progressed('in_progress', 30)).when(news('queued', 90)).changesNothing();
    given(task, submitted, progressed('queued', 30)).when(news('in_progress', 5)).then(progressed('in_progress', 30));
  });

  it('ends once; what is said afterwards changes nothing', () => {
    given(task, submitted)
      .when({ kind: 'report', news: { status: 'succeeded' }, at })
      .then(succeeded);
    given(task, submitted, succeeded)
      .when({ kind: 'report', news: { status: 'failed', code: 'x', reason: 'y' }, at })
      .changesNothing();
    given(task, submitted, failed)
      .when({ kind: 'report', news: { status: 'succeeded' }, at })
      .changesNothing();
    given(task, submitted, failed).when({ kind: 'cancel', reason: '', at }).refuses('wrong_state');
  });

  it('is given up no sooner than its time', () => {
    given(task, submitted).when({ kind: 'expire', at: '2026-01-01T23:59:59.999Z' }).changesNothing();
    given(task, submitted)
      .when({ kind: 'expire', at: '2026-01-02T00:00:00.000Z' })
      .then({ type: 'TaskExpired', data: { taskId, userId: owner, at: '2026-01-02T00:00:00.000Z' } });
  });

  it('is settled once, where it came to nothing, with at most its price', () => {
    const settle = (refunded: bigint): TaskCommand => ({ kind: 'settle', refunded: refunded as Money });
    given(task, submitted, failed)
      .when(settle(400n))
      .then({ type: 'TaskSettled', data: { taskId, userId: owner, refunded: 400n as Money } });
    given(task, submitted, failed).when(settle(401n)).refuses('exceeds_charge');
    given(task, submitted, succeeded).when(settle(400n)).refuses('wrong_state');
    given(task, submitted).when(settle(400n)).refuses('wrong_state');
    given(task, submitted, failed, { type: 'TaskSettled', data: { taskId, userId: owner, refunded: 0n as Money } })
      .when(settle(400n))
      .changesNothing();
  });

  it('is deleted by its owner, once it has ended', () => {
    given(task, submitted).when({ kind: 'delete', userId: owner, at }).refuses('wrong_state');
    given(task, submitted, succeeded)
      .when({ kind: 'delete', userId: UserId.parse('usr_2'), at })
      .refuses('not_found');
    given(task, submitted, succeeded)
      .when({ kind: 'delete', userId: owner, at })
      .then({ type: 'TaskDeleted', data: { taskId, userId: owner, at } });
  });

  it('moves forwards only, ends at most once and is paid back at most once, whatever comes in whatever order', () => {
    check(
      fc.property(fc.array(anyCommand, { maxLength: 30 }), (commands) => {
        let state: Task = task.evolve(task.initial, submitted);
        let paid = 0n;
        const ends: string[] = [];
        for (const command of commands) {
          const before = state;
          const decided = task.decide(command, state);
          if (isRefusal(decided)) continue;
          state = decided.reduce(task.evolve, state);
          for (const event of decided) {
            if (event.type === 'TaskSettled') paid += event.data.refunded;
            if (/Succeeded|Failed|Cancelled|Expired/.test(event.type)) ends.push(event.type);
          }
          expect(state.percent).to.be.at.least(before.percent).and.at.most(100);
          if (hasEnded(before)) expect(state.status).to.equal(before.status);
          else if (!hasEnded(state)) expect(ORDER.indexOf(state.status)).to.be.at.least(ORDER.indexOf(before.status));
          // The same command again says nothing new.
          const again = task.decide(command, state);
          if (!isRefusal(again)) expect(again).to.deep.equal([]);
        }
        expect(ends.length).to.be.at.most(1);
        expect(paid <= submission().price).to.equal(true);
        if (ends[0] === 'TaskSucceeded') expect(paid).to.equal(0n);
        expect(owesRefund(state)).to.equal(hasEnded(state) && state.status !== 'succeeded' && state.refunded === null);
      }),
    );
  });
});
