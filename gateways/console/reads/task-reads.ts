import type { ConsoleReads, TaskOf } from '../../ports/console-reads.ts';
import { listTasks, taskById } from '../../../projections/tasks/queries.ts';
import type { TaskDocument } from '../../../projections/tasks/tables.ts';
import type { Position } from '../../../schemas/event-envelope.ts';
import { given } from './asked.ts';
import { CursorPosition, cursorsOf } from './cursor.ts';
import { readPage } from './page.ts';
import type { ReadsDeps } from './reads-deps.ts';

const cursors = cursorsOf(CursorPosition);

const viewOf = ({ deleted: _deleted, submittedPosition: _position, open: _open, ...view }: TaskDocument): TaskOf => view;

export const taskReads = ({ sql }: ReadsDeps): Pick<ConsoleReads, 'tasks' | 'task'> => ({
  tasks: async ({ owner, ...filter }, page) => {
    const { rows, nextCursor } = await readPage(
      page,
      cursors,
      (before, limit) =>
        listTasks(sql, { ...given(filter), ...given({ before }), userId: owner === 'everybody' ? null : owner, withDeleted: true, limit }),
      ({ submittedPosition }) => BigInt(submittedPosition) as Position,
    );
    return { rows: rows.map(viewOf), nextCursor };
  },

  task: async (taskId) => {
    const found = await taskById(sql, taskId, null);
    return found === null ? null : viewOf(found);
  },
});
