import type { ApiClient } from './api-client.ts';
import type { Failure } from './failure.ts';
import type { CommandLineHost, OpenedData } from '../ports/command-line-host.ts';

/** What a command takes beside its words. */
export interface Option {
  /** Shown in the help, such as `USD`; absent for a switch. */
  readonly value?: string;
  readonly about: string;
  readonly required?: true;
}

/** What commands may have without naming it. */
export type CommonOption = 'json' | 'url';

export interface Argument {
  readonly name: string;
  readonly about: string;
  readonly optional?: true;
}

/** What a command works on: nothing, a running server, or whichever there is of a server and the data themselves. */
export type Target = { readonly kind: 'server'; readonly api: ApiClient } | { readonly kind: 'data'; readonly data: OpenedData };

/** One run of a command. */
export interface Run {
  readonly host: CommandLineHost;
  readonly json: boolean;
  readonly args: Readonly<Record<string, string | undefined>>;
  readonly options: Readonly<Record<string, string | undefined>>;
  readonly switches: ReadonlySet<string>;
  /** A server, or the reason why there is none. */
  readonly server: () => Promise<ApiClient | Failure>;
  /** A server where one runs, the data themselves where none does. Data are closed when the command ends. */
  readonly target: () => Promise<Target | Failure>;
  /** The answer: JSON where that was asked for, words where not. */
  readonly tell: (value: unknown, words: () => string) => void;
  /** Something beside the answer, for people. */
  readonly note: (text: string) => void;
}

/** `0` means that all is well, `1` that something is not; anything else is a {@link Failure}. */
export type Outcome = 0 | 1 | Failure;

export interface Command {
  /** The words that call it: `users create`. */
  readonly name: string;
  readonly about: string;
  readonly args?: readonly Argument[];
  readonly options?: Readonly<Record<string, Option>>;
  /** Which options of all commands it has a use for; both, unless given. */
  readonly common?: readonly CommonOption[];
  readonly examples: readonly string[];
  readonly run: (run: Run) => Promise<Outcome>;
}
