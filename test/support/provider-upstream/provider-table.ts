import type { Provider } from '../../../domain/providers/provider.ts';
import type { MemberRules } from '../../../domain/providers/provider-quirks.ts';

/** What the tests have seen of one provider. */
export interface Shown {
  readonly provider: Provider;
  /** Each `null` where it is not known to have any. */
  readonly plain: boolean | null;
  readonly streamed: boolean | null;
  readonly embeddings: boolean | null;
}

const BEGIN = '<!-- Between these marks stands what the tests wrote. -->';
const END = '<!-- The end of what the tests wrote. -->';

const code = (text: string): string => `\`${text}\``;

const codes = (names: readonly string[]): string => names.map(code).join(', ');

const rulesSay = ({ drop = [], rename = {}, most = {} }: MemberRules, of: string): readonly string[] => [
  ...(drop.length === 0 ? [] : [`${of}not sent ${codes(drop)}`]),
  ...Object.entries(rename).map(([from, to]) => `${of}${code(from)} becomes ${code(to)}`),
  ...Object.entries(most).map(([name, bound]) => `${of}${code(name)} at most ${bound}`),
];

const PROOFS: Readonly<Partial<Record<Provider['auth']['kind'], string>>> = {
  none: 'no key',
  aws: 'signed with a key of AWS',
  google: 'key of a service account',
  iflytek: 'addresses are signed with a key of an app',
  baidu: 'a token is got for the key',
  tencent: 'signed with a key of Tencent Cloud',
  zhipu: 'a token is made with the key',
};

const peculiar = ({ auth, dialect, keyless, paths, quirks = {}, billsAborted }: Provider): string =>
  [
    ...(auth.kind === 'header' ? [`key in ${code(auth.name)}`] : [PROOFS[auth.kind] ?? []].flat()),
    ...(dialect === 'openai' ? [] : [`speaks the format of ${dialect}`]),
    ...(keyless === true && auth.kind !== 'none' ? ['key optional'] : []),
    ...Object.entries(paths ?? {}).map(([endpoint, path]) => `${endpoint} at ${code(path)}`),
    ...(quirks.chat === undefined ? [] : rulesSay(quirks.chat, '')),
    ...(quirks.embeddings === undefined ? [] : rulesSay(quirks.embeddings, 'embeddings: ')),
    ...Object.entries(quirks.finishReasons ?? {}).map(([own, known]) => `finish reason ${code(own)} becomes ${code(known)}`),
    ...(billsAborted === true ? ['bills what was broken off'] : []),
    ...(quirks.errorsInSuccess === undefined ? [] : [`errors in ${code(quirks.errorsInSuccess)} of a success`]),
  ].join('; ');

const mark = (seen: boolean | null): string => (seen === null ? '' : seen ? 'yes' : 'NO');

/** The part of the page that is written by the tests. */
const providerTable = (all: readonly Shown[]): string => {
  const rows = [...all].sort((a, b) => (a.provider.id < b.provider.id ? -1 : 1));
  return [
    `${rows.filter(({ plain, streamed, embeddings }) => plain !== false && streamed !== false && embeddings !== false).length} providers, each shown by a round trip through the relay.`,
    '',
    '| id | provider | base URL | plain | streamed | embeddings | what is peculiar |',
    '|---|---|---|---|---|---|---|',
    ...rows.map(
      ({ provider, plain, streamed, embeddings }) =>
        `| ${code(provider.id)} | ${provider.name} | ${provider.baseUrl === null ? 'as given' : code(provider.baseUrl)} | ${mark(plain)} | ${mark(streamed)} | ${mark(embeddings)} | ${peculiar(provider)} |`,
    ),
  ].join('\n');
};

/** The page with the table as it has to be. */
export const withTable = (page: string, all: readonly Shown[]): string => {
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin < 0 || end < begin) throw new Error('the page has no place for the table');
  return `${page.slice(0, begin + BEGIN.length)}\n\n${providerTable(all)}\n\n${page.slice(end)}`;
};
