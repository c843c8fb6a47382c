import { toDollarText } from '../../domain/ledger/money.ts';
import type { Money } from '../../schemas/money.ts';
import type { TextOutput } from '../ports/command-line-host.ts';

/** Nano-dollars as they come over the wire, as people read them: exact, and with cents at least: `$5.00`, `-$0.0015`. */
export const dollarsOf = (nanos: string): string => {
  const [whole = '', fraction = ''] = toDollarText(BigInt(nanos) as Money).split('.');
  const text = `${whole}.${fraction.padEnd(2, '0')}`;
  return text.startsWith('-') ? `-$${text.slice(1)}` : `$${text}`;
};

/** What moves a terminal's cursor, colours it, or turns the direction of writing. Names are whatever people have typed. */
const COMMANDS = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/** Text of anybody's, such that a terminal shows it and does nothing else. Its lines stay. */
export const shownOnly = (text: string): string => text.replace(COMMANDS, (found) => (found === '\n' ? found : '\u{fffd}'));

/** The same in one line, so that nobody's name can pass for a row. */
const inOneLine = (text: string): string => text.replace(COMMANDS, '\u{fffd}');

/** JSON leaves some of them as they are; in it they stand in texts only, where they may be written as escapes. */
export const jsonOf = (value: unknown, indent?: number): string =>
  JSON.stringify(value, null, indent).replace(COMMANDS, (found) =>
    found === '\n' ? found : `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

export type Cell = string | number | null | undefined;

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => Cell;
  /** Figures stand under each other by their last digit. */
  readonly right?: boolean;
}

/** Columns as wide as what is in them, two spaces apart. */
export const table = <Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string => {
  const lines = [columns.map(({ title }) => title), ...rows.map((row) => columns.map(({ cell }) => inOneLine(String(cell(row) ?? ''))))];
  const widths = columns.map((_column, index) => Math.max(...lines.map((line) => (line[index] ?? '').length)));
  const pad = (text: string, index: number): string =>
    columns[index]?.right === true ? text.padStart(widths[index] ?? 0) : text.padEnd(widths[index] ?? 0);
  return lines.map((line) => `${line.map(pad).join('  ').trimEnd()}\n`).join('');
};

/** Names and values, one a line. */
export const listing = (pairs: readonly (readonly [string, Cell])[]): string => {
  const width = Math.max(...pairs.map(([name]) => name.length));
  return pairs.map(([name, value]) => `${name.padEnd(width)}  ${inOneLine(String(value ?? ''))}\n`).join('');
};

const BAR = 24;
/** Where a terminal does not say how wide it is. */
const USUAL_COLUMNS = 80;

/** How far long work is, on standard error and only while somebody looks on. */
export class ProgressBar {
  readonly #output: TextOutput;
  readonly #label: string;
  #shown = '';

  constructor(output: TextOutput, label: string) {
    this.#output = output;
    this.#label = label;
  }

  /** What a line holds: the last column is left free, since some terminals go on to the next line behind it. */
  get #room(): number {
    return Math.max(0, (this.#output.columns ?? USUAL_COLUMNS) - 1);
  }

  /** `share` from 0 to 1; `null` where nobody knows how much there is to do. */
  show(share: number | null, note = ''): void {
    if (!this.#output.isTTY) return;
    const within = Math.min(1, Math.max(0, share ?? 0));
    const width = Math.max(0, Math.min(BAR, this.#room - this.#label.length - ' [] 100%'.length));
    const filled = Math.round(within * width);
    const bar = share === null ? [] : [`[${'#'.repeat(filled)}${'.'.repeat(width - filled)}]`, `${Math.floor(within * 100)}%`];
    // A line that is longer than the terminal wide could not be written over.
    const line = [this.#label, ...bar, ...(note === '' ? [] : [note])].join(' ').slice(0, this.#room);
    if (line === this.#shown) return;
    this.#output.write(`\r${line.padEnd(this.#shown.length).slice(0, this.#room)}`);
    this.#shown = line;
  }

  /** Takes the whole line away: an interrupt has put its own sign behind what was shown. */
  clear(): void {
    if (this.#shown !== '') this.#output.write(`\r${' '.repeat(this.#room)}\r`);
    this.#shown = '';
  }
}
