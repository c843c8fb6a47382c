import type { VectorFileFault } from '../../schemas/events/vector-store.ts';

/** What is text as it stands. */
const PLAIN: ReadonlySet<string> = new Set(
  (
    'txt text md markdown mdx rst adoc org tex log csv tsv json jsonl ndjson yaml yml toml ini conf properties xml svg sql graphql proto ' +
    'c h cc cpp cxx hpp cs java kt kts scala groovy go rs swift m mm py pyi rb php pl pm lua r jl ex exs erl hs clj dart ' +
    'js jsx mjs cjs ts tsx mts cts vue svelte css scss sass less sh bash zsh fish ps1 bat dockerfile makefile cmake gradle tf diff patch srt vtt'
  ).split(' '),
);
const MARKED_UP: ReadonlySet<string> = new Set(['html', 'htm', 'xhtml']);

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' };

const entity = (whole: string, name: string): string => {
  if (!name.startsWith('#')) return ENTITIES[name.toLowerCase()] ?? whole;
  const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
  return Number.isInteger(code) && code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? String.fromCodePoint(code) : whole;
};

/** What people see of a page; what stands between tags of blocks is on lines of its own. */
const textOfPage = (page: string): string =>
  page
    .replace(/<!--[\s\S]*?(?:-->|$)/g, ' ')
    .replace(/<(script|style|template|noscript)\b[\s\S]*?(?:<\/\1\s*>|$)/gi, ' ')
    .replace(/<\/?(?:p|div|br|li|ul|ol|tr|table|h[1-6]|section|article|header|footer|pre|blockquote|title)\b[^<>]*>/gi, '\n')
    .replace(/<[a-z/!?][^<>]*>/gi, ' ')
    .replace(/&(#x?[0-9a-f]{1,6}|[a-z]{2,6});/gi, entity)
    .replace(/[^\S\n]+/g, ' ')
    .replace(/ ?\n[ \n]*/g, '\n')
    .trim();

export type Extracted = { readonly text: string } | { readonly code: VectorFileFault; readonly message: string };

const kindOf = (filename: string): string => {
  const [, name = ''] = /([^/\\]*)$/.exec(filename) ?? [];
  const dot = name.lastIndexOf('.');
  return (dot < 0 ? name : name.slice(dot + 1)).toLowerCase();
};

/** The text of a file of a kind that is text; the kind is told by the file's name. `decode`: from UTF-8, `null` for what is none. */
export const extractText = (filename: string, decode: () => string | null): Extracted => {
  const kind = kindOf(filename);
  const isPage = MARKED_UP.has(kind);
  if (!isPage && !PLAIN.has(kind))
    return { code: 'unsupported_file', message: 'Files of this kind are not indexed: text, Markdown, HTML, JSON, CSV and code are.' };
  const text = decode();
  if (text === null || text.includes('\u0000')) return { code: 'invalid_file', message: 'The file is not text in UTF-8.' };
  const shown = (isPage ? textOfPage(text) : text).replace(/^\ufeff/, '');
  return shown.trim() === '' ? { code: 'invalid_file', message: 'There is no text in the file.' } : { text: shown };
};
