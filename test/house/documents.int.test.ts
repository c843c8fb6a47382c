import { expect } from 'chai';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, resolve } from 'node:path';
import { allCommands } from '../../gateways/cli/commands/all-commands.ts';
import { routes } from '../../gateways/console/routes.ts';
import { settings } from '../../schemas/config.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const listed = (folder: string): string[] =>
  readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name));

const HOUSES = readdirSync(ROOT, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && existsSync(join(ROOT, entry.name, 'README.md')))
  .filter(({ name }) => name !== 'node_modules')
  .map(({ name }) => `${name}/README.md`);
/** What tells of the program as it is; records of decisions tell of their day. */
const PAGES = ['README.md', 'README.zh-CN.md', 'CONTRIBUTING.md', ...HOUSES, ...listed('docs')];
const ALL = [...PAGES, ...listed('docs/decisions')];

const withoutBlocks = (text: string): string => text.replaceAll(/^ *```[^]*?^ *```$/gm, '');

/** The name that a heading can be linked by. */
const anchorOf = (heading: string): string =>
  heading
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
    .replaceAll(' ', '-');

const anchorsOf = (page: string): readonly string[] =>
  [...withoutBlocks(read(page)).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchorOf(heading));

const linksOf = (page: string): readonly string[] =>
  [...withoutBlocks(read(page)).matchAll(/\]\(([^)\s]+)\)|(?:src|srcset)="([^"]+)"/g)].map(([, link, source]) => link ?? source ?? '');

/** What stands as code on a page: in the line, and in blocks. */
const codeOf = (page: string): readonly string[] => {
  const text = read(page);
  const blocks = [...text.matchAll(/^ *```[a-z]*\n([^]*?)^ *```$/gm)].flatMap(([, block = '']) => block.split('\n'));
  return [...blocks, ...[...withoutBlocks(text).matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code)];
};

const faults = (pages: readonly string[], of: (page: string) => readonly string[]): readonly string[] =>
  pages.flatMap((page) => of(page).map((fault) => `${page}: ${fault}`));

describe('the documents', () => {
  it('link to what is there', () => {
    const links = ALL.flatMap(linksOf);
    expect(links.length).to.be.greaterThan(100);
    const broken = faults(ALL, (page) =>
      linksOf(page).filter((link) => {
        if (/^https?:/.test(link)) return false;
        const [path = '', anchor] = link.split('#');
        const target = path === '' ? page : normalize(join(dirname(page), decodeURIComponent(path)));
        return !existsSync(join(ROOT, target)) || (anchor !== undefined && !anchorsOf(target).includes(anchor));
      }),
    );
    expect(broken).to.deep.equal([]);
  });

  it('name files that are there', () => {
    const named = (page: string): readonly string[] =>
      codeOf(page).flatMap((code) => code.match(/(?:schemas|domain|commands|projections|gateways|infra|ui|test|docs)\/[\w./-]+/g) ?? []);
    expect(PAGES.flatMap(named).length).to.be.greaterThan(40);
    const missing = faults(PAGES, (page) => named(page).filter((path) => !existsSync(join(ROOT, path))));
    // It stands for any test.
    expect(missing.filter((fault) => !/: test\/path\/to\/file\.test\.ts$/.test(fault))).to.deep.equal([]);
  });

  it('name settings that there are', () => {
    const named = (page: string): readonly string[] => read(page).match(/\bOBLIVIOUS_[A-Z_]*[A-Z]\b/g) ?? [];
    expect(PAGES.flatMap(named).length).to.be.greaterThan(60);
    const strange = faults(PAGES, (page) => named(page).filter((name) => !(name in settings)));
    expect(strange).to.deep.equal(['docs/providers.md: OBLIVIOUS_WRITE_DOCS']);
  });

  it('tell the defaults that settings have, where they put them in brackets', () => {
    const told = (page: string): readonly (readonly [name: string, value: string])[] =>
      [...read(page).matchAll(/`(OBLIVIOUS_[A-Z_]+)` \((\d[\d ]*)\)/g)].map(([, name = '', value = '']) => [
        name,
        value.replaceAll(' ', ''),
      ]);
    expect(PAGES.flatMap(told).length).to.be.greaterThan(8);
    const wrong = faults(PAGES, (page) =>
      told(page)
        .filter(([name, value]) => String(settings[name as keyof typeof settings].schema.parse(undefined)) !== value)
        .map((pair) => pair.join(' ')),
    );
    expect(wrong).to.deep.equal([]);
  });

  it('show commands that there are, with options that they take', () => {
    const shown = (page: string): readonly string[] =>
      codeOf(page).flatMap((code) =>
        [...code.matchAll(/^(?:\$ )?(?:npx )?oblivious ((?:[a-z-]+ ?){1,3}[^|<>]*)/g)].map(([, line = '']) => line),
      );
    expect(PAGES.flatMap(shown).length).to.be.greaterThan(25);
    const strange = faults(PAGES, (page) =>
      shown(page).filter((line) => {
        const words = line.split(/\s+/);
        const command = [3, 2, 1]
          .map((length) => allCommands.find(({ name }) => name === words.slice(0, length).join(' ')))
          .find((found) => found !== undefined);
        if (command === undefined) return !line.startsWith('--help');
        const { common = ['json', 'url'], options = {} } = command;
        const taken = [...common, ...Object.keys(options), 'help'];
        return [...line.matchAll(/--([a-z-]+)/g)].some(([, option = '']) => !taken.includes(option));
      }),
    );
    // How connections are named to PostgreSQL begins with the program’s name, too.
    expect(strange.filter((fault) => !fault.startsWith('docs/postgresql.md: '))).to.deep.equal([]);
  });

  it('name addresses of the console’s API that it serves', () => {
    const served = new Set(
      Object.values(routes).map(({ method, path }) => `${method.toUpperCase()} /api${path.replaceAll(/:\w+/g, '{}')}`),
    );
    const named = (page: string): readonly string[] =>
      codeOf(page).flatMap((code) => {
        const [, method = '', path = ''] = /^(GET|POST|PUT|PATCH|DELETE) (\/api\/[^\s?]*)/.exec(code) ?? [];
        return path === '' ? [] : [`${method} ${path.replaceAll(/\{\w+\}/g, '{}')}`];
      });
    expect(PAGES.flatMap(named).length).to.be.greaterThan(8);
    expect(faults(PAGES, (page) => named(page).filter((address) => !served.has(address)))).to.deep.equal([]);
  });

  it('name metrics that are made, and so do the alerts', () => {
    const sources = readdirSync(join(ROOT, 'infra'), { recursive: true, encoding: 'utf8' }).map((path) => join('infra', path));
    const made = new Set(
      sources.filter((path) => path.endsWith('.ts')).flatMap((path) => read(path).match(/(?<=')oblivious_[a-z_]+(?=')/g) ?? []),
    );
    const named = (page: string): readonly string[] => read(page).match(/\boblivious_[a-z_]+/g) ?? [];
    const pages = [...PAGES, ...sources.filter((path) => path.endsWith('.rules.yml'))];
    expect(pages.flatMap(named).length).to.be.greaterThan(25);
    const strange = faults(pages, (page) =>
      named(page).filter((name) => !made.has(name) && !made.has(name.replace(/_(?:bucket|sum|count)$/, ''))),
    );
    // A schema of PostgreSQL's.
    expect(new Set(strange.map((fault) => fault.split(': ')[1]))).to.deep.equal(new Set(['oblivious_bridge']));
  });

  it('name targets that the Makefile has', () => {
    const targets = new Set([...read('Makefile').matchAll(/^([a-z][a-z-]*):/gm)].map(([, target = '']) => target));
    const named = (page: string): readonly string[] =>
      codeOf(page).flatMap((code) => [...code.matchAll(/^(?:BENCH_JSON=\S+ )?make ([a-z][a-z-]*)/g)].map(([, target = '']) => target));
    expect(PAGES.flatMap(named).length).to.be.greaterThan(20);
    expect(faults(PAGES, (page) => named(page).filter((target) => !targets.has(target)))).to.deep.equal([]);
  });

  it('say the same in both languages', () => {
    const [english, chinese] = [read('README.md'), read('README.zh-CN.md')];
    const headings = (text: string): readonly number[] =>
      [...withoutBlocks(text).matchAll(/^(#+) /gm)].map(([, marks = '']) => marks.length);
    const rows = (text: string): readonly (readonly string[])[] =>
      [...text.matchAll(/^\|.*$/gm)].map(([row]) => [...new Set(row.match(/`[\x21-\x7e]+`|\]\([^)]+\)/g) ?? [])].toSorted());
    expect(headings(chinese)).to.deep.equal(headings(english));
    const elsewhere = (link: string): boolean => !link.startsWith('README');
    expect(linksOf('README.zh-CN.md').filter(elsewhere).toSorted()).to.deep.equal(linksOf('README.md').filter(elsewhere).toSorted());
    expect(rows(chinese)).to.deep.equal(rows(english));
  });
});
