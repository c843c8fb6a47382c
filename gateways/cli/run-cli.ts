import { parseArgs, type ParseArgsConfig } from 'node:util';
import { isRefusal } from '../../schemas/errors.ts';
import type { CommandLineHost, OpenedData } from '../ports/command-line-host.ts';
import { ApiClient } from './api-client.ts';
import { allCommands } from './commands/all-commands.ts';
import type { Command, Run, Target } from './command.ts';
import { EXIT, fail, isFailure, type ExitCode, type Failure } from './failure.ts';
import { helpFor, overallHelp } from './help.ts';
import { jsonOf, shownOnly } from './render.ts';

const COMMON_OPTIONS = { json: { type: 'boolean' }, url: { type: 'string' } } as const;

const NO_SERVER =
  'No server runs on this data directory, as far as can be seen. Start one with `oblivious start`, or name another with --url and OBLIVIOUS_OPERATOR_TOKEN.';

interface Understood {
  readonly command: Command;
  readonly args: Readonly<Record<string, string | undefined>>;
  readonly options: Readonly<Record<string, string | undefined>>;
  readonly switches: ReadonlySet<string>;
  readonly json: boolean;
  readonly url: string | undefined;
}

/** The longest name that the line begins with. */
const commandIn = (argv: readonly string[]): { readonly command: Command; readonly rest: readonly string[] } | null => {
  const words = argv.findIndex((word) => word.startsWith('-'));
  const spoken = words < 0 ? argv : argv.slice(0, words);
  for (let length = Math.min(spoken.length, 3); length > 0; length--) {
    const command = allCommands.find(({ name }) => name === spoken.slice(0, length).join(' '));
    if (command !== undefined) return { command, rest: argv.slice(length) };
  }
  return null;
};

const understand = (command: Command, rest: readonly string[]): Understood | Failure => {
  const { args = [], options = {}, common = ['json', 'url'] } = command;
  const config = {
    help: { type: 'boolean', short: 'h' },
    ...Object.fromEntries(common.map((name) => [name, COMMON_OPTIONS[name]])),
    ...Object.fromEntries(
      Object.entries(options).map(([name, { value }]) => [name, { type: value === undefined ? 'boolean' : 'string' } as const]),
    ),
  } satisfies ParseArgsConfig['options'];
  let parsed: { readonly values: Readonly<Record<string, string | boolean | undefined>>; readonly positionals: readonly string[] };
  try {
    parsed = parseArgs({ args: [...rest], options: config, allowPositionals: true, strict: true });
  } catch (error) {
    return fail(EXIT.usage, error instanceof Error ? error.message : String(error));
  }
  const { values, positionals } = parsed;
  if (positionals.length > args.length) return fail(EXIT.usage, `There is nothing to make of ${positionals[args.length] ?? ''}.`);
  const missing = args.find(({ optional }, index) => optional !== true && positionals[index] === undefined);
  if (missing !== undefined) return fail(EXIT.usage, `<${missing.name}> is missing: ${missing.about}`);
  const needed = Object.entries(options).find(([name, { required }]) => required === true && values[name] === undefined);
  if (needed !== undefined) return fail(EXIT.usage, `--${needed[0]} is missing: ${needed[1].about}`);
  return {
    command,
    args: Object.fromEntries(args.map(({ name }, index) => [name, positionals[index]])),
    options: Object.fromEntries(Object.entries(values).filter((pair): pair is [string, string] => typeof pair[1] === 'string')),
    switches: new Set(Object.entries(values).flatMap(([name, value]) => (value === true ? [name] : []))),
    json: values['json'] === true,
    url: typeof values['url'] === 'string' ? values['url'] : undefined,
  };
};

/** Finds what a command works on, and closes what it opened. */
class Targets {
  readonly #host: CommandLineHost;
  readonly #url: string | undefined;
  #data: OpenedData | null = null;

  constructor(host: CommandLineHost, url: string | undefined) {
    this.#host = host;
    this.#url = url;
  }

  async server(): Promise<ApiClient | Failure> {
    if (this.#url !== undefined && !URL.canParse(this.#url)) return fail(EXIT.usage, `--url takes a URL, not ${this.#url}.`);
    // Which data directory is meant stands in a configuration that nobody understands.
    const config = this.#url === undefined ? this.#host.config() : null;
    if (config !== null && 'mistakes' in config) return fail(EXIT.failed, config.mistakes.join('\n'));
    const address = await this.#host.server(this.#url);
    if (address === null)
      return fail(EXIT.unreachable, this.#url === undefined ? NO_SERVER : 'Put the token of that server into OBLIVIOUS_OPERATOR_TOKEN.');
    const api = new ApiClient(address, this.#host.interrupted);
    return (await api.isThere()) ? api : fail(EXIT.unreachable, this.#url === undefined ? NO_SERVER : `Nothing answers at ${this.#url}.`);
  }

  async target(): Promise<Target | Failure> {
    const api = await this.server();
    if (!isFailure(api)) return { kind: 'server', api };
    if (this.#url !== undefined || api.failed !== EXIT.unreachable) return api;
    const data = await this.#host.openData();
    if (isRefusal(data)) return fail(EXIT.unreachable, data.message);
    this.#data = data;
    return { kind: 'data', data };
  }

  async close(): Promise<void> {
    await this.#data?.close();
  }
}

const runUnderstood = async (
  { command, args, options, switches, json, url }: Understood,
  host: CommandLineHost,
): Promise<0 | 1 | Failure> => {
  const targets = new Targets(host, url);
  const run: Run = {
    host,
    json,
    args,
    options,
    switches,
    server: () => targets.server(),
    target: () => targets.target(),
    tell: (value, words) => void host.stdout.write(json ? `${jsonOf(value, 2)}\n` : shownOnly(words())),
    note: (text) => void host.stderr.write(`${shownOnly(text)}\n`),
  };
  try {
    return await command.run(run);
  } finally {
    await targets.close();
  }
};

/**
 * The command line: `argv` without the program's own name. Answers go to standard output, everything else to standard
 * error. Resolves with the exit code, see {@link EXIT}.
 */
export const runCli = async (argv: readonly string[], host: CommandLineHost): Promise<ExitCode> => {
  const [first] = argv;
  if (first === '--version') {
    host.stdout.write(`${host.version}\n`);
    return EXIT.done;
  }
  const found = commandIn(argv);
  if (found === null) {
    const asked = first === undefined || first === 'help' || first === '--help' || first === '-h';
    const group = argv.find((word) => !word.startsWith('-')) ?? '';
    const ofGroup = allCommands.filter(({ name }) => name.startsWith(`${group} `));
    const help = overallHelp(ofGroup.length > 0 ? ofGroup : allCommands, host.version);
    if (asked || (ofGroup.length > 0 && argv.includes('--help'))) host.stdout.write(help);
    else host.stderr.write(`There is no command ${argv.filter((word) => !word.startsWith('-')).join(' ')}.\n\n${help}`);
    return asked || (ofGroup.length > 0 && argv.includes('--help')) ? EXIT.done : EXIT.usage;
  }
  if (found.rest.includes('--help') || found.rest.includes('-h')) {
    host.stdout.write(helpFor(found.command));
    return EXIT.done;
  }
  const understood = understand(found.command, found.rest);
  const outcome = isFailure(understood) ? understood : await runUnderstood(understood, host);
  if (typeof outcome === 'number') return outcome;
  host.stderr.write(
    `${shownOnly(outcome.message)}\n${outcome.failed === EXIT.usage ? `\nTry: oblivious ${found.command.name} --help\n` : ''}`,
  );
  return outcome.failed;
};
