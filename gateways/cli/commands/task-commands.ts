import type { TaskPage } from '../../../schemas/http/tasks.ts';
import { TaskState } from '../../../schemas/http/tasks.ts';
import type { Wire } from '../../../schemas/http/wire.ts';
import type { Command, Outcome, Run } from '../command.ts';
import { EXIT, fail, isFailure } from '../failure.ts';
import { jsonOf, table } from '../render.ts';
import { argument, userIdIn } from './given.ts';

type Row = Wire<typeof TaskPage>['rows'][number];

const ID = { name: 'id', about: 'As `tasks list` shows it (task_…).' } as const;

const stateOf = ({ status, percent, failure }: Row): string =>
  failure === null ? (status === 'in_progress' ? `${status} ${percent}%` : status) : `${status}: ${failure.code}`;

export const taskCommands: readonly Command[] = [
  {
    name: 'tasks list',
    about: 'List videos, music and other tasks, newest first.',
    options: {
      user: { value: 'USER', about: 'Of one user only: id (usr_…) or e-mail address. Everybody’s unless given.' },
      status: { value: 'STATUS', about: `One of ${TaskState.options.join(', ')}.` },
      model: { value: 'MODEL', about: 'Of one model only.' },
    },
    examples: ['tasks list', 'tasks list --status failed --json', 'tasks list --user ada@example.com --model sora-2'],
    run: async (run: Run): Promise<Outcome> => {
      const { user, model } = run.options;
      const status = TaskState.optional().safeParse(run.options.status);
      if (!status.success) return fail(EXIT.usage, `--status takes one of ${TaskState.options.join(', ')}.`);
      const api = await run.server();
      if (isFailure(api)) return api;
      const userId = user === undefined ? undefined : await userIdIn(api, user);
      if (isFailure(userId)) return userId;
      const whose = userId === undefined ? { scope: 'all' as const } : { userId };
      const page = await api.call('listTasks', { query: { ...whose, status: status.data, model, limit: '200' } });
      if (isFailure(page)) return page;
      run.tell(page.rows, () =>
        table(
          [
            { title: 'ID', cell: ({ taskId }) => taskId },
            { title: 'MODEL', cell: ({ model: name }) => name },
            { title: 'ACTION', cell: ({ action }) => action },
            { title: 'STATE', cell: stateOf },
            { title: 'USER', cell: ({ userId: owner }) => owner },
            { title: 'SUBMITTED', cell: ({ submittedAt }) => submittedAt },
          ],
          page.rows,
        ),
      );
      return 0;
    },
  },
  {
    name: 'tasks show',
    about: 'Show all that is recorded of a task.',
    args: [ID],
    examples: ['tasks show task_0mb2…'],
    run: async (run: Run): Promise<Outcome> => {
      const api = await run.server();
      if (isFailure(api)) return api;
      const task = await api.call('readTask', { params: { taskId: argument(run, 'id') } });
      if (isFailure(task)) return task;
      run.tell(task, () => `${jsonOf(task, 2)}\n`);
      return 0;
    },
  },
  {
    name: 'tasks cancel',
    about: 'Give up a task that runs. What was charged for it comes back; its upstream is not told.',
    args: [ID],
    options: { reason: { value: 'TEXT', about: 'Why, as its owner reads it.' } },
    examples: ['tasks cancel task_0mb2… --reason "The upstream hangs"'],
    run: async (run: Run): Promise<Outcome> => {
      const api = await run.server();
      if (isFailure(api)) return api;
      const taskId = argument(run, 'id');
      const { reason = 'Cancelled by an operator' } = run.options;
      const done = await api.call('cancelTask', { params: { taskId }, body: { reason } });
      if (isFailure(done)) return done;
      run.tell({ id: taskId, done: true }, () => 'It is given up.\n');
      return 0;
    },
  },
];
