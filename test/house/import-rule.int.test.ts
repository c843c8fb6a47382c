import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { expect } from 'chai';

const ROOT = resolve(import.meta.dirname, '../..');

/** What breaks which rule: `file`, its text, and the rule's name. */
const BROKEN: readonly (readonly [file: string, source: string, rule: string])[] = [
  ['schemas/reads-domain.ts', "import { d } from '../domain/d.ts'; export const x = d;", 'schemas-imports'],
  ['schemas/reads-type.ts', "import type { D } from '../domain/d.ts'; export type X = D;", 'schemas-imports'],
  ['schemas/reads-core.ts', "import { join } from 'node:path'; export const x = join;", 'schemas-only-zod'],
  ['schemas/reads-package.ts', "import type { Client } from 'pg'; export type X = Client;", 'schemas-only-zod'],
  ['domain/reads-commands.ts', "import { c } from '../commands/c.ts'; export const x = c;", 'domain-imports'],
  ['domain/reads-core.ts', "import { randomUUID } from 'node:crypto'; export const x = randomUUID;", 'domain-is-pure'],
  ['domain/reads-package.ts', "import { z } from 'zod'; export const x = z;", 'domain-is-pure'],
  ['commands/reads-projections.ts', "import { p } from '../projections/p.ts'; export const x = p;", 'commands-imports'],
  ['commands/reads-driver.ts', "import { Client } from 'pg'; export const x = Client;", 'no-drivers-outside-infra'],
  ['commands/reads-files.ts', "import { readFileSync } from 'node:fs'; export const x = readFileSync;", 'no-input-output-in-the-middle'],
  ['commands/runs-port.ts', "import { Port } from './ports/port.ts'; export const x: Port | undefined = undefined;", 'ports-are-types'],
  ['projections/reads-commands.ts', "import { c } from '../commands/c.ts'; export const x = c;", 'projections-imports'],
  ['projections/ports/runs.ts', "import { p } from '../p.ts'; export type X = typeof p;", 'ports-import-types'],
  ['gateways/reads-infra.ts', "import { i } from '../infra/i.ts'; export const x = i;", 'gateways-imports'],
  ['gateways/injects.ts', "import { Container } from 'inversify'; export const x = Container;", 'inversify-in-the-container-only'],
  ['infra/reads-test.ts', "import { t } from '../test/t.ts'; export const x = t;", 'infra-imports'],
  ['infra/reads-development.ts', "import { expect } from 'chai'; export const x = expect;", 'no-development-packages-in-production'],
  ['infra/reads-nothing.ts', "import { n } from './nowhere.ts'; export const x = n;", 'no-unresolvable'],
  ['infra/reads-helpers.ts', "import { h } from './order-helpers.ts'; export const x = h;", 'no-nameless-concepts'],
  ['ui/reads-domain.ts', "import { d } from '../domain/d.ts'; export const x = d;", 'ui-imports'],
  ['ui/reads-core.ts', "import { join } from 'node:path'; export const x = join;", 'ui-is-for-the-browser'],
  ['domain/about.ts', "import { round } from './round.ts'; export const about = (): unknown => round;", 'no-circular'],
];

const SOUND: Readonly<Record<string, string>> = {
  'schemas/s.ts': "import { z } from 'zod'; export const s = z.string();",
  'domain/d.ts': "import { s } from '../schemas/s.ts'; export const d = s; export type D = string;",
  'domain/round.ts': "import { about } from './about.ts'; export const round = (): unknown => about;",
  'commands/ports/port.ts': "import type { D } from '../../domain/d.ts'; export interface Port { d: D }",
  'commands/c.ts':
    "import type { Port } from './ports/port.ts'; import { d } from '../domain/d.ts'; export const c = d; export type C = Port;",
  'projections/p.ts': "import { d } from '../domain/d.ts'; export const p = d;",
  'gateways/g.ts': "import { c } from '../commands/c.ts'; import { p } from '../projections/p.ts'; export const g = [c, p];",
  'infra/order-helpers.ts': 'export const h = 1;',
  'infra/i.ts': "import { Client } from 'pg'; import { g } from '../gateways/g.ts'; export const i = [g, Client];",
  'infra/container/container.ts': "import { Container } from 'inversify'; export const x = Container;",
  'ui/u.ts': "import { s } from '../schemas/s.ts'; export const u = s;",
  'test/t.ts': "import { i } from '../infra/i.ts'; import { expect } from 'chai'; export const t = [i, expect];",
};

describe('the import rule', () => {
  let folder: string;
  let violations: { from: string; rule: string }[];

  before(function () {
    this.timeout(60_000);
    folder = mkdtempSync(join(tmpdir(), 'import-rule-'));
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    for (const file of ['package.json', 'tsconfig.json', '.dependency-cruiser.cjs']) copyFileSync(join(ROOT, file), join(folder, file));
    for (const [file, source] of [...Object.entries(SOUND), ...BROKEN]) {
      mkdirSync(join(folder, dirname(file)), { recursive: true });
      writeFileSync(join(folder, file), `${source}\n`);
    }
    const houses = ['schemas', 'domain', 'commands', 'projections', 'gateways', 'infra', 'ui', 'test'];
    const cruise = spawnSync(join(ROOT, 'node_modules/.bin/depcruise'), ['--no-cache', '--output-type', 'json', ...houses], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect(cruise.stderr).to.equal('');
    const { summary } = JSON.parse(cruise.stdout) as { summary: { violations: { from: string; rule: { name: string } }[] } };
    violations = summary.violations.map(({ from, rule }) => ({ from, rule: rule.name }));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const [file, source, rule] of BROKEN) {
    it(`${rule} stops ${file}: ${source}`, () => {
      expect(violations.filter(({ from }) => from === file).map((violation) => violation.rule)).to.include(rule);
    });
  }

  it('lets pass what the table allows', () => {
    const sound = violations.filter(({ from }) => from in SOUND && from !== 'domain/round.ts');
    expect(sound).to.deep.equal([]);
  });
});
