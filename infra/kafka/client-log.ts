import { logLevel, type logCreator } from 'kafkajs';
import type { ProgramLog } from '../logging/logger.ts';

/**
 * The client's own words in the program log. It calls errors what it goes on to retry, and information what only its author needs, so all
 * of it is a level lower here; what it does not get over is an error of the call, and reported by the caller.
 */
export const clientLog =
  (programLog: Pick<ProgramLog, 'warn' | 'debug'>): logCreator =>
  () =>
  ({ namespace, level, log }) => {
    const { message, timestamp: _timestamp, logger: _logger, stack: _stack, ...fields } = log;
    const write = level === logLevel.ERROR && namespace === 'Consumer' ? programLog.warn : programLog.debug;
    write(`Kafka client: ${message}`, { part: namespace, ...fields });
  };
