import { expect } from 'chai';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorTable } from '../../schemas/errors.ts';
import { USAGE_CLASSES } from '../../schemas/usage.ts';

/** Reads sources, not a running console: what a page could ask for and what the languages answer. */
const SOURCES = join(import.meta.dirname, '../../ui/src');
const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).map((file) => file.replaceAll('\\', '/'));
const read = (file: string): string => readFileSync(join(SOURCES, file), 'utf8');

type Tree = { readonly [key: string]: string | Tree };
const flatten = (tree: Tree, prefix = ''): [string, string][] =>
  Object.entries(tree).flatMap(([key, value]) =>
    typeof value === 'string' ? [[`${prefix}${key}`, value] as [string, string]] : flatten(value, `${prefix}${key}.`),
  );

const namespaceOf = (file: string): string =>
  file.startsWith('features/')
    ? file.split('/')[1]!
    : file.startsWith('app/i18n/errors/')
      ? 'errors'
      : file.startsWith('app/shell/')
        ? 'shell'
        : 'parts';
const messagesOf = (locale: 'en' | 'zh-CN'): Map<string, string> => {
  const found = files
    .filter((file) => file.endsWith(`/${locale}.json`))
    .flatMap((file) => flatten(JSON.parse(read(file)) as Tree, `${namespaceOf(file)}.`));
  const table = locale === 'en' ? Object.entries(errorTable).map(([code, row]) => [`errors.${code}`, row.title] as [string, string]) : [];
  return new Map([...table, ...found]);
};
const en = messagesOf('en');
const zh = messagesOf('zh-CN');

const placeholders = (message: string): string[] => [...new Set([...message.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!))].sort();
const code = files.filter((file) => /\.(vue|ts)$/.test(file)).map((file) => read(file));

/** Keys asked for as they stand, and beginnings of those put together from a value. */
const literal = new Set(
  code.flatMap((text) =>
    [
      ...text.matchAll(
        /['`]((?:account|channels|errors|exports|keys|ledger|limits|notifications|overview|parts|requests|routing|session|shell|tasks|users)\.[\w.-]+)['`]/g,
      ),
    ].map((match) => match[1]!),
  ),
);
const composed = new Set(
  code.flatMap((text) =>
    [
      ...text.matchAll(
        /`((?:account|channels|errors|exports|keys|ledger|limits|notifications|overview|parts|requests|routing|session|shell|tasks|users)\.[\w.-]*\.?)\$\{/g,
      ),
    ].map((match) => match[1]!),
  ),
);

describe('translations', () => {
  it('have the same keys in every language', () => {
    expect([...zh.keys()].sort()).to.deep.equal([...en.keys()].sort());
  });

  it('have the same placeholders in every language', () => {
    for (const [key, message] of en) expect(placeholders(zh.get(key) ?? ''), key).to.deep.equal(placeholders(message));
  });

  it('say something, and something else than the other language', () => {
    const same = [...en].filter(
      ([key, message]) => message.trim() === '' || (zh.get(key) === message && /[a-z]{3}/i.test(message.replace(/\{\w+\}/g, ''))),
    );
    // The name of a language is in that language, and UTC is UTC.
    expect(same.map(([key]) => key).sort()).to.deep.equal(['account.clock.utc', 'shell.language.en']);
  });

  it('write Chinese with Chinese marks', () => {
    const wrong = [...zh].filter(
      ([, message]) => /[\u4e00-\u9fff]\s*[,;:!?](?!\d)/.test(message) || /[\u4e00-\u9fff]\.($|\s)/.test(message),
    );
    expect(wrong).to.deep.equal([]);
  });

  it('contain no character that the message format would take for its own', () => {
    for (const [key, message] of [...en, ...zh]) {
      expect(message, key).not.to.match(/@[\w.:(]/);
      expect(message.replace(/\{\w+\}/g, ''), key).not.to.match(/[{}]/);
    }
  });

  it('answer every key that a page asks for', () => {
    expect([...literal].filter((key) => !en.has(key) && ![...en.keys()].some((known) => known.startsWith(`${key}.`)))).to.deep.equal([]);
    expect([...composed].filter((prefix) => ![...en.keys()].some((key) => key.startsWith(prefix)))).to.deep.equal([]);
  });

  it('have no key that nobody asks for', () => {
    const used = (key: string): boolean => literal.has(key) || [...composed].some((prefix) => key.startsWith(prefix));
    expect([...en.keys()].filter((key) => !used(key))).to.deep.equal([]);
  });

  it('have words for everything that the server may refuse', () => {
    for (const code of Object.keys(errorTable)) {
      expect(en.get(`errors.${code}`), code).to.match(/^[A-Z].*[.)]$/s);
      expect(zh.get(`errors.${code}`), code).to.match(/[\u4e00-\u9fff].*。$/s);
    }
  });

  it('name every class of usage that a charge may have', () => {
    for (const name of USAGE_CLASSES) expect(en.has(`ledger.classes.${name}`), name).to.equal(true);
    expect([...en.keys()].filter((key) => key.startsWith('ledger.classes.'))).to.have.length(USAGE_CLASSES.length);
  });
});
