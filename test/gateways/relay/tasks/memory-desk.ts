import type { AccountBook } from '../../../../commands/ledger/account-book.ts';
import { decodeEvent } from '../../../../domain/kernel/event-codec.ts';
import { TaskDesk } from '../../../../gateways/relay/tasks/task-desk.ts';
import { createEgressGuard } from '../../../../infra/egress/guard.ts';
import { parseEgressPolicy, type EgressPolicy } from '../../../../infra/egress/policy.ts';
import { timeSortedIds } from '../../../../infra/ids.ts';
import { foldDocument, type DocumentAt } from '../../../../projections/engine/document-rows.ts';
import { projectedEvent, type ProjectedEvent } from '../../../../projections/engine/projected-event.ts';
import { tasks } from '../../../../projections/tasks/projection.ts';
import type { TaskDocument } from '../../../../projections/tasks/tables.ts';
import type { TaskEvent } from '../../../../schemas/events/catalogue.ts';
import type { Sealed } from '../../../../schemas/sealed.ts';
import type { Appender } from '../../../../commands/ports/appender.ts';
import type { MemoryLog } from '../../../support/memory-log.ts';
import type { RelayHarness } from '../relay-harness.ts';

const SEALED = 'env1.0123456789abcdef.a.';

/** The read model of tasks, as the log has it now. */
export const taskDocuments = (log: MemoryLog): readonly TaskDocument[] => {
  const rows = new Map<string, DocumentAt<TaskDocument>>();
  for (const recorded of log.events) {
    if (!recorded.stream.startsWith('task-')) continue;
    const event = projectedEvent(recorded, decodeEvent(recorded)) as ProjectedEvent<TaskEvent['type']>;
    const key = tasks.keyOf(event);
    const next = foldDocument(tasks, rows.get(key), event);
    if (next !== undefined) rows.set(key, next);
  }
  return [...rows.values()].flatMap(({ doc }) => (doc === undefined ? [] : [doc]));
};

export interface MemoryDeskOptions {
  readonly log: MemoryLog;
  readonly appender: Appender;
  readonly book: AccountBook;
  readonly clock: { readonly now: () => number };
  /** Whose channels and connections it uses. */
  readonly relay: () => RelayHarness;
}

/** What one process does about tasks, over a log in memory. */
export const memoryDesk = ({ log, appender, book, clock, relay }: MemoryDeskOptions): TaskDesk => {
  const documents = (): readonly TaskDocument[] => taskDocuments(log);
  return new TaskDesk({
    log,
    appender,
    book,
    channels: { find: async (channelId) => relay().directory.channels.find((channel) => channel.channelId === channelId) ?? null },
    list: {
      list: async ({ userId: owner, shape, order, before, after, limit }) => {
        const found = documents().filter(
          (document) =>
            (owner === null || document.userId === owner) &&
            (shape === undefined || document.shape === shape) &&
            !document.deleted &&
            (before === undefined || BigInt(document.submittedPosition) < before) &&
            (after === undefined || BigInt(document.submittedPosition) > after),
        );
        return (order === 'asc' ? found : [...found].reverse()).slice(0, limit);
      },
      find: async (taskId, owner) => documents().find((document) => document.taskId === taskId && document.userId === owner) ?? null,
    },
    hookEgress: createEgressGuard(parseEgressPolicy('loopback') as EgressPolicy, (name, found) =>
      found(null, [{ address: name.endsWith('.inside.example') ? '10.0.0.8' : '93.184.215.14', family: 4 }]),
    ),
    upstream: { send: (request, listener) => relay().pools.send(request, listener) },
    secrets: {
      seal: (text) => `${SEALED}${Buffer.from(text).toString('base64url')}` as Sealed,
      open: (sealed) => (sealed.startsWith(SEALED) ? Buffer.from(sealed.slice(SEALED.length), 'base64url').toString() : sealed),
    },
    clock,
    ids: timeSortedIds,
    sandboxUrl: () => null,
  });
};
