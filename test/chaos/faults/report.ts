import type { CellOutcome } from './run-cell.ts';

const seconds = (ms: number): string => (Number.isNaN(ms) ? '' : `${(ms / 1_000).toFixed(1)} s`);

const verdictOf = ({ leftOut, violations }: CellOutcome): string =>
  leftOut !== undefined ? `not run: ${leftOut}` : violations.length === 0 ? 'clean' : `**${violations.length} violations**`;

const columns: readonly (readonly [string, (outcome: CellOutcome) => string])[] = [
  ['struck', ({ cell }) => cell.target],
  ['with', ({ cell, how }) => (how === '' ? cell.fault : `${cell.fault} (${how})`)],
  ['for', ({ cell }) => seconds(cell.lastsMs)],
  [
    'begun meanwhile: complete / refused / left / broken',
    ({ meanwhile: { complete, refused, left, broken } }) => `${complete} / ${refused} / ${left} / ${broken}`,
  ],
  ['served again after', ({ servedAfterMs }) => seconds(servedAfterMs)],
  ['shown again after', ({ shownAfterMs }) => seconds(shownAfterMs)],
  ['calls audited', ({ complete }) => String(complete)],
  ['audit', verdictOf],
];

/** The fault matrix as a table in Markdown, and under it everything that was wrong. */
export const faultReport = (outcomes: readonly CellOutcome[], about: string): string => {
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const wrong = outcomes.flatMap(({ cell, violations }) => violations.map((violation) => `- ${cell.target}, ${cell.fault}: ${violation}`));
  return [
    '# Fault matrix',
    '',
    about,
    '',
    row(columns.map(([title]) => title)),
    row(columns.map(() => '---')),
    ...outcomes.map((outcome) => row(columns.map(([, show]) => show(outcome)))),
    '',
    ...(wrong.length === 0 ? [] : ['## Violations', '', ...wrong, '']),
  ].join('\n');
};
