import type pg from 'pg';

const heard = (): void => undefined;

/**
 * A connection of the pool that dies, at rest or lent out, is replaced at its next use, and the statement on it fails. The pool itself listens
 * to those at rest only, and an error that nobody listens to ends the process.
 */
export const outliveLostConnections = (pool: pg.Pool): void => {
  pool.on('error', heard);
  pool.on('connect', (client) => client.on('error', heard));
};
