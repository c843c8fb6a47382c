import type { Sql } from '../ports/read-model-database.ts';
import { applyToDocuments } from './document-rows.ts';
import type { KnownPartitions } from './partitions.ts';
import type { ProjectedEvent } from './projected-event.ts';
import type { Projection } from './projection.ts';

/** One build of a projection, to be written to. */
export interface Target {
  readonly projection: Projection;
  readonly partitions: KnownPartitions;
}

/** What some events do to one build of a projection. */
export interface Gathered {
  /** Events that the projection handles, in order. Throws at one that cannot be applied; what was gathered is of no use then. */
  add(event: ProjectedEvent): void;
  /** Whenever it is asked to, in one transaction or another. */
  write(tx: Sql): Promise<void>;
}

/** Begins to gather what events do to a build. */
export const gatherFor = ({ projection, partitions }: Target): Gathered => {
  if (projection.kind === 'document') {
    // These are few. What they do depends on the document that they are folded into.
    const events: ProjectedEvent[] = [];
    return {
      add: (event) => events.push(event),
      write: async (tx) => (events.length === 0 ? undefined : applyToDocuments(tx, projection, events)),
    };
  }
  const gathering = projection.gather();
  const needed = partitions.needed();
  return {
    add: (event) => {
      for (const months of needed) months.add(event);
      gathering.add(event);
    },
    write: async (tx) => {
      await partitions.make(tx, needed);
      for (const { text, values } of gathering.statements()) await tx.query(text, values);
    },
  };
};
