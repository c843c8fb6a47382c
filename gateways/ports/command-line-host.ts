import type { AccountBook } from '../../commands/ledger/account-book.ts';
import type { Appender } from '../../commands/ports/appender.ts';
import type { Clock } from '../../commands/ports/clock.ts';
import type { EventLog } from '../../commands/ports/event-log.ts';
import type { IdSource } from '../../commands/ports/id-source.ts';
import type { Passwords } from '../../commands/ports/passwords.ts';
import type { SecretBox } from '../../commands/ports/secret-box.ts';
import type { Refusal } from '../../schemas/errors.ts';
import type { ReadModelCare } from './read-model-care.ts';
import type { WorkerCare } from './worker-care.ts';

/** Where the command line writes. */
export interface TextOutput {
  write(text: string): unknown;
  /** Somebody looks on: progress is worth showing. */
  readonly isTTY: boolean;
  /** How many characters a line of the terminal has, where there is one. */
  readonly columns?: number;
}

/** How a running server is reached. */
export interface ServerAddress {
  readonly baseUrl: string;
  readonly token: string;
}

/** The data of an installation, opened by the command line itself while no server has it. */
export interface OpenedData {
  readonly log: EventLog;
  readonly appender: Appender;
  readonly book: Pick<AccountBook, 'execute' | 'read'>;
  readonly passwords: Passwords;
  readonly secretBox: SecretBox;
  readonly clock: Clock;
  readonly ids: IdSource;
  /** The read models, brought up to date first. */
  care(): Promise<ReadModelCare>;
  /** What workers left when the server ended. Nothing is worked on here. */
  workers(): Promise<WorkerCare>;
  close(): Promise<void>;
}

export interface ConfiguredSetting {
  readonly name: string;
  readonly value: string;
  readonly given: boolean;
  readonly about: string;
}

/** What the command line needs of the machine it runs on. */
export interface CommandLineHost {
  readonly version: string;
  readonly stdout: TextOutput;
  readonly stderr: TextOutput;
  /** Aborts at the first interrupt. */
  readonly interrupted: AbortSignal;
  /** All of standard input, for secrets that have no business on a command line. */
  readStdin(): Promise<string>;
  readFile(path: string): Promise<string>;
  /** Runs the server until it is told to end, with these settings over those of the environment; resolves with the exit code. */
  start(settings: Readonly<Record<string, string>>): Promise<number>;
  /** Refused when there is such a file already. */
  writeFile(path: string, content: AsyncIterable<Uint8Array>): Promise<null | Refusal>;
  config(): { readonly settings: readonly ConfiguredSetting[] } | { readonly mistakes: readonly string[] };
  /**
   * How to reach the server at `url`, with a token from the environment: a token of this machine's own is sent nowhere else. Without
   * a URL: the server of this data directory. `null`: none is known.
   */
  server(url: string | undefined): Promise<ServerAddress | null>;
  /** Refused while a server has the data. */
  openData(): Promise<OpenedData | Refusal>;
}
