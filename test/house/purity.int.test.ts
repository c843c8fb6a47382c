import { expect } from 'chai';
import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';

/** Rules that need no types, so that sources which exist only here can be checked. */
const eslint = new ESLint({
  overrideConfig: [
    { files: ['**/*.{ts,vue}'], ...tseslint.configs.disableTypeChecked },
    { languageOptions: { parserOptions: { projectService: false } } },
  ],
});

async function rulesBroken(file: string, source: string): Promise<string[]> {
  const [result] = await eslint.lintText(source, { filePath: file });
  return (result?.messages ?? []).map(({ ruleId, message }) => ruleId ?? message);
}

describe('what the code rules forbid', function () {
  this.timeout(60_000);

  for (const source of [
    'export const now = (): number => Date.now();',
    'export const now = (): Date => new Date();',
    'export const dice = (): number => Math.random();',
    'export const env = (): unknown => process.env;',
    'export const wait = async (): Promise<void> => undefined;',
    "export const ask = (): unknown => fetch('x');",
    "import { createHash } from 'node:crypto';\nexport const hash = createHash;",
  ]) {
    it(`in domain/ and in a projection: ${source.replace('\n', ' ')}`, async () => {
      for (const file of ['domain/ledger/example.ts', 'projections/ledger/projection.ts']) {
        expect((await rulesBroken(file, source)).join(' '), file).to.match(/no-restricted-(syntax|globals|imports)/);
      }
      expect((await rulesBroken('infra/example.ts', source)).join(' ')).to.not.match(/no-restricted/);
    });
  }

  it('in domain/, but not the date of a given time', async () => {
    expect(await rulesBroken('domain/ledger/example.ts', 'export const day = (ms: number): Date => new Date(ms);')).to.deep.equal([]);
  });

  it('everywhere: default exports, barrels, console', async () => {
    expect(await rulesBroken('infra/example.ts', 'const x = 1;\nexport default x;')).to.deep.equal(['no-restricted-syntax']);
    expect(await rulesBroken('infra/example.ts', "export * from './other.ts';")).to.deep.equal(['no-restricted-syntax']);
    expect(await rulesBroken('infra/example.ts', "console.log('x');")).to.include('no-console');
  });

  it('in ports: anything that exists when the program runs', async () => {
    expect(await rulesBroken('commands/ports/example.ts', 'export const x = 1;')).to.deep.equal(['no-restricted-syntax']);
    expect(await rulesBroken('commands/ports/example.ts', 'export interface X {\n  readonly x: number;\n}')).to.deep.equal([]);
  });

  it('in templates: bare words', async () => {
    const page = (text: string): string => `<script setup lang="ts"></script>\n\n<template>\n  <p>${text}</p>\n</template>\n`;
    expect(await rulesBroken('ui/src/example.vue', page('Balance'))).to.include('vue/no-bare-strings-in-template');
    expect(await rulesBroken('ui/src/example.vue', page("{{ $t('balance') }}"))).to.not.include('vue/no-bare-strings-in-template');
  });
});
