import { isoInstant } from '../../domain/kernel/iso-instant.ts';
import { createLogger, format, transports, type Logger } from 'winston';
import { LineSink } from './line-sink.ts';
import { repeats } from './repeats.ts';
import { withoutSecrets } from './without-secrets.ts';

export type LogFields = Readonly<Record<string, unknown>>;

/** What the program says about itself: one JSON object a line, on standard output. */
export interface ProgramLog {
  readonly error: (message: string, fields?: LogFields) => void;
  readonly warn: (message: string, fields?: LogFields) => void;
  readonly info: (message: string, fields?: LogFields) => void;
  readonly debug: (message: string, fields?: LogFields) => void;
  /** The line of one finished request. Takes the short way to the sink: at most one write, no pipeline of formats. */
  readonly request: (line: object) => void;
  /** Lines that nobody read in time. */
  readonly dropped: () => number;
  readonly flushSync: () => void;
}

export interface ProgramLogOptions {
  readonly level: 'error' | 'warn' | 'info' | 'debug';
  readonly accessLog: boolean;
  /** 1 is standard output. */
  readonly fd?: number;
}

const redact = format((info) => Object.assign(info, withoutSecrets({ ...info })));

export const createProgramLog = ({ level, accessLog, fd = 1 }: ProgramLogOptions): ProgramLog => {
  const sink = new LineSink(fd);
  const logger: Logger = createLogger({
    level,
    format: format.combine(redact(), format.timestamp(), format.json()),
    transports: [new transports.Stream({ stream: sink })],
  });
  const at =
    (name: 'info' | 'debug') =>
    (message: string, fields: LogFields = {}) =>
      void logger.log(name, message, fields);
  const leftOut = repeats();
  const onceInAWhile =
    (name: 'error' | 'warn') =>
    (message: string, fields: LogFields = {}): void => {
      const repeated = leftOut(name, message, fields);
      if (repeated !== null) logger.log(name, message, repeated === 0 ? fields : { ...fields, repeated });
    };
  const requestsShown = accessLog && (level === 'info' || level === 'debug');
  return {
    error: onceInAWhile('error'),
    warn: onceInAWhile('warn'),
    info: at('info'),
    debug: at('debug'),
    request: requestsShown
      ? // A line is never empty, so what opens it is followed by a comma.
        (line) =>
          sink.writeLine(`{"level":"info","message":"request","timestamp":"${isoInstant(Date.now())}",${JSON.stringify(line).slice(1)}\n`)
      : () => undefined,
    dropped: () => sink.dropped,
    flushSync: () => sink.flushSync(),
  };
};
