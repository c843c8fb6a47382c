/** What every client is asked for, in the order of the columns. */
export const ASPECTS = ['text', 'stream', 'tools', 'structured', 'image', 'errors', 'abort', 'embeddings'] as const;
export type Aspect = (typeof ASPECTS)[number];

export interface MatrixRow {
  readonly client: string;
  readonly format: string;
  /** By upstream, what was shown to work; absent where there is no such thing. */
  readonly shown: ReadonlyMap<string, ReadonlySet<Aspect>>;
}

const BEGIN = '<!-- clients: begin -->';
const END = '<!-- clients: end -->';

/** Every client before every upstream: all of what both have, or what of it. */
const table = (rows: readonly MatrixRow[], upstreams: readonly string[]): string => {
  const cell = (shown: ReadonlySet<Aspect> | undefined): string => {
    const all = ASPECTS.filter((aspect) => shown?.has(aspect) === true);
    return all.length === 0 ? '–' : all.join(', ');
  };
  return [
    `| client | speaks | ${upstreams.join(' | ')} |`,
    `| --- | --- | ${upstreams.map(() => '---').join(' | ')} |`,
    ...rows.map(
      ({ client, format, shown }) => `| ${client} | ${format} | ${upstreams.map((upstream) => cell(shown.get(upstream))).join(' | ')} |`,
    ),
  ].join('\n');
};

/** A page with the table in its place. */
export const withMatrix = (page: string, rows: readonly MatrixRow[], upstreams: readonly string[]): string => {
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`the page has no ${BEGIN} and ${END}`);
  return `${page.slice(0, begin + BEGIN.length)}\n\n${table(rows, upstreams)}\n\n${page.slice(end)}`;
};
