import pg from 'pg';
import { ReadModelsUnavailable } from '../../projections/engine/read-models-unavailable.ts';

/**
 * SQLSTATE classes that are about a statement and its data: cardinality, data exception, integrity constraint, raised
 * by a function. With every other (connection, resources, operator, transaction rollback, a table that is missing while
 * another process makes it, an internal error) the same statement may well succeed later.
 */
const STATEMENT_CLASSES: ReadonlySet<string> = new Set(['21', '22', '23', 'P0']);

/** What a failed query means to the port `Sql`. */
export const databaseFault = (error: unknown): Error => {
  if (error instanceof ReadModelsUnavailable) return error;
  if (error instanceof pg.DatabaseError && STATEMENT_CLASSES.has(error.code?.slice(0, 2) ?? '')) return error;
  return new ReadModelsUnavailable(error);
};
