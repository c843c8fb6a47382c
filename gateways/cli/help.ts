import type { Command, CommonOption } from './command.ts';

const NAME = 'oblivious';

const usageOf = ({ name, args = [], options }: Command): string =>
  [
    NAME,
    name,
    ...args.map(({ name: its, optional }) => (optional === true ? `[${its}]` : `<${its}>`)),
    ...(options === undefined ? [] : ['[options]']),
  ].join(' ');

const columns = (pairs: readonly (readonly [string, string])[]): string => {
  const width = Math.max(...pairs.map(([left]) => left.length));
  return pairs.map(([left, right]) => `  ${left.padEnd(width)}  ${right}\n`).join('');
};

const COMMON: Readonly<Record<CommonOption, readonly [string, string]>> = {
  json: ['--json', 'Answer in JSON.'],
  url: ['--url URL', 'The server to talk to; its token is taken from OBLIVIOUS_OPERATOR_TOKEN.'],
};

const commonLines = (common: readonly CommonOption[] = ['json', 'url']): readonly (readonly [string, string])[] => [
  ...common.map((name) => COMMON[name]),
  ['--help', 'Say how this is used.'],
];

const EXIT_CODES = [
  ['0', 'Done.'],
  ['1', 'It failed, or something was found to be wrong.'],
  ['2', 'It was not understood.'],
  ['3', 'The server refused it.'],
  ['4', 'Neither a server nor the data could be reached.'],
] as const;

/** How one command is used. */
export const helpFor = (command: Command): string => {
  const { about, args = [], options = {}, common, examples } = command;
  const optionLines = Object.entries(options).map(
    ([name, { value, about: its, required }]) =>
      [`--${name}${value === undefined ? '' : ` ${value}`}`, required === true ? `${its} Needed.` : its] as const,
  );
  return [
    `${about}\n`,
    `Usage:\n  ${usageOf(command)}\n`,
    ...(args.length === 0 ? [] : [`Arguments:\n${columns(args.map(({ name, about: its }) => [`<${name}>`, its]))}`]),
    `Options:\n${columns([...optionLines, ...commonLines(common)])}`,
    `Examples:\n${examples.map((example) => `  ${NAME} ${example}\n`).join('')}`,
  ].join('\n');
};

/** What there is. */
export const overallHelp = (commands: readonly Command[], version: string): string =>
  [
    `Oblivious ${version}: an AI gateway whose every charge is a durable, provable event.\n`,
    `Usage:\n  ${NAME} <command> [options]\n`,
    `Commands:\n${columns(commands.map(({ name, about }) => [name, about]))}`,
    `Options:\n${columns(commonLines())}`,
    'Commands talk to the server that runs on this data directory (OBLIVIOUS_HOME). Those that read or repair work on the\ndata themselves where no server runs.\n',
    `Exit codes:\n${columns(EXIT_CODES)}`,
    `More of one command:\n  ${NAME} <command> --help\n`,
  ].join('\n');
