import { eventsByCategory, eventSchemas } from '../../../schemas/events/catalogue.ts';
import { closeNames } from '../close-names.ts';
import type { Command, Outcome, Run } from '../command.ts';
import { EXIT, fail, isFailure, type Failure } from '../failure.ts';
import { jsonOf, listing, ProgressBar, shownOnly } from '../render.ts';
import { argument } from './given.ts';
import { followLog, headOf, lastEvents, readLog, type EventRow, type WhichEvents } from './log-rows.ts';

const FILTERS = {
  category: { value: 'NAME', about: 'Streams of one category only, such as account or lease.' },
  type: { value: 'NAME', about: 'Events of one type only, such as QuotaDebited.' },
} as const;

const lineOf = ({ position, recordedAt, stream, type, data }: EventRow): string =>
  `${position.padStart(8)}  ${recordedAt}  ${type.padEnd(20)}  ${stream}  ${jsonOf(data)}\n`;

const LINE_LENGTH = 200;

/** Price lists are long; a line of a tail is not. */
const shortLineOf = (row: EventRow): string => {
  const line = lineOf(row);
  return line.length > LINE_LENGTH ? `${line.slice(0, LINE_LENGTH - 1)}…\n` : line;
};

const KNOWN = [
  ['category', 'Streams', Object.keys(eventsByCategory)],
  ['type', 'Events', Object.keys(eventSchemas)],
] as const;

/**
 * Why no event was found, where a name is the reason. Asked only then: the log may hold what a later release wrote, of which this one
 * has no word.
 */
const misnamed = (which: WhichEvents): Failure | null => {
  for (const [option, what, names] of KNOWN) {
    const given = which[option];
    if (given === undefined || names.includes(given)) continue;
    const close = closeNames(given, names);
    const meant = close.length === 0 ? `There are: ${names.join(', ')}.` : `Did you mean ${close.join(' or ')}?`;
    return fail(EXIT.usage, `${what} of the ${option} ${given} there are none. ${meant}`);
  }
  return null;
};

const isPosition = (text: string | undefined): boolean => text === undefined || /^\d{1,18}$/.test(text);

export const eventCommands: readonly Command[] = [
  {
    name: 'events tail',
    about: 'Show the last events, and with --follow those to come.',
    options: { ...FILTERS, limit: { value: 'N', about: 'How many; 20 unless given.' }, follow: { about: 'Go on until interrupted.' } },
    examples: ['events tail', 'events tail --follow --type QuotaDebited', 'events tail --category channel --json'],
    run: async (run: Run): Promise<Outcome> => {
      const { category, type, limit = '20' } = run.options;
      if (!/^[1-9]\d{0,2}$/.test(limit)) return fail(EXIT.usage, '--limit takes a number from 1 to 999.');
      const target = await run.target();
      if (isFailure(target)) return target;
      const head = await headOf(target);
      if (isFailure(head)) return head;
      const last = await lastEvents(target, { category, type }, Number(limit));
      if (isFailure(last)) return last;
      const fault = last.length === 0 ? misnamed({ category, type }) : null;
      if (fault !== null) return fault;
      if (last.length === 0) run.note('There is no such event yet.');
      const print = (row: EventRow): void => void run.host.stdout.write(run.json ? `${jsonOf(row)}\n` : shownOnly(shortLineOf(row)));
      last.forEach(print);
      if (!run.switches.has('follow')) return 0;
      const from = last.at(-1)?.position ?? head.toString();
      const live = await followLog(target, { category, type, from }, run.host.interrupted);
      if (isFailure(live)) return live;
      for await (const row of live) print(row);
      return run.host.interrupted.aborted ? 0 : fail(EXIT.unreachable, 'The server ended the stream.');
    },
  },
  {
    name: 'events show',
    about: 'Show one event whole.',
    args: [{ name: 'position', about: 'Its place in the log.' }],
    examples: ['events show 1042', 'events show 1042 --json'],
    run: async (run: Run): Promise<Outcome> => {
      const position = argument(run, 'position');
      if (!isPosition(position) || position === '0') return fail(EXIT.usage, 'A position is a whole number from 1 on.');
      const target = await run.target();
      if (isFailure(target)) return target;
      const rows = await readLog(target, { from: (BigInt(position) - 1n).toString() });
      if (isFailure(rows)) return rows;
      for await (const row of rows) {
        if (row.position !== position) break;
        const { metadata } = row;
        run.tell(row, () =>
          [
            listing([
              ['position', row.position],
              ['stream', `${row.stream} at revision ${row.revision}`],
              ['type', `${row.type}, version ${row.schemaVersion}`],
              ['event', row.eventId],
              ['recorded', row.recordedAt],
              ['occurred', metadata.occurredAt],
              ['actor', `${metadata.actor.kind} ${metadata.actor.id}`],
              ['command', metadata.commandId],
              ['caused by', metadata.causationId],
            ]),
            jsonOf(row.data, 2),
            '',
          ].join('\n'),
        );
        return 0;
      }
      return fail(EXIT.refused, `There is no event at position ${position}.`);
    },
  },
  {
    name: 'events export',
    about: 'Write events to standard output, one JSON document a line. From a server, sealed values are masked.',
    options: { ...FILTERS, from: { value: 'POSITION', about: 'What lies after this position; everything unless given.' } },
    examples: ['events export > events.jsonl', 'events export --category account --from 1000 | wc -l'],
    run: async (run: Run): Promise<Outcome> => {
      const { category, type, from } = run.options;
      if (!isPosition(from)) return fail(EXIT.usage, '--from takes a position.');
      const target = await run.target();
      if (isFailure(target)) return target;
      const head = await headOf(target);
      if (isFailure(head)) return head;
      const rows = await readLog(target, { category, type, from });
      if (isFailure(rows)) return rows;
      const bar = new ProgressBar(run.host.stderr, 'Exporting');
      let count = 0;
      try {
        for await (const row of rows) {
          run.host.stdout.write(`${jsonOf(row)}\n`);
          // Where the events themselves can be seen, a bar would only stand in their way.
          if (++count % 1_000 === 0 && !run.host.stdout.isTTY) bar.show(Number(row.position) / Number(head), `${count} events`);
        }
      } finally {
        bar.clear();
      }
      if (run.host.interrupted.aborted) return fail(EXIT.failed, `Interrupted after ${count} events.`);
      const fault = count === 0 ? misnamed({ category, type }) : null;
      if (fault !== null) return fault;
      run.note(`${count} events.`);
      return 0;
    },
  },
];
