// @ts-check
import js from '@eslint/js';
import vue from 'eslint-plugin-vue';
import tseslint from 'typescript-eslint';
import vueParser from 'vue-eslint-parser';

const HOUSES = ['schemas', 'domain', 'commands', 'projections', 'gateways', 'infra', 'test'];

const NO_BARREL = {
  selector: 'ExportAllDeclaration',
  message: 'Import each thing from the file that defines it.',
};
const NO_DEFAULT_EXPORT = {
  selector: 'ExportDefaultDeclaration',
  message: 'Export by name: one thing has one name everywhere.',
};
/** What makes a decision depend on when, where or how often it is made. */
const IMPURE = [
  { selector: 'NewExpression[callee.name="Date"][arguments.length=0]', message: 'Take the time as an argument.' },
  { selector: 'CallExpression[callee.name="Date"]', message: 'Take the time as an argument.' },
  { selector: 'MemberExpression[object.name="Date"][property.name="now"]', message: 'Take the time as an argument.' },
  { selector: 'MemberExpression[object.name="Math"][property.name="random"]', message: 'Take randomness as an argument.' },
  { selector: 'AwaitExpression', message: 'Pure code does not wait.' },
  { selector: ':function[async=true]', message: 'Pure code does not wait.' },
];
const IMPURE_GLOBALS = [
  'process',
  'performance',
  'crypto',
  'fetch',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'globalThis',
  'require',
].map((name) => ({ name, message: 'Pure code has its arguments and nothing else.' }));
/** A port is a contract: types only, nothing that exists when the program runs. */
const TYPES_ONLY = [
  'Program > VariableDeclaration',
  'Program > FunctionDeclaration',
  'Program > ClassDeclaration',
  'Program > ExpressionStatement',
  'ExportNamedDeclaration > VariableDeclaration',
  'ExportNamedDeclaration > FunctionDeclaration',
  'ExportNamedDeclaration > ClassDeclaration',
].map((selector) => ({ selector, message: 'A port holds types only; put what runs into an adapter or beside its caller.' }));

/** What a template may show untranslated: the product's name, symbols and keys. */
const NOT_LANGUAGE = [
  ...[
    'Oblivious',
    'Esc',
    '⌘',
    '⌘K',
    'Ctrl',
    '/v1',
    '$',
    '¥',
    '€',
    '×',
    '→',
    '←',
    '↑',
    '↓',
    '…',
    '—',
    '–',
    '−',
    '·',
    '•',
    '|',
    '@',
    '~',
    '%',
    '#',
  ],
  ...['(', ')', ',', '.', '&', '+', '-', '=', '*', '/', '!', '?', ':', ';', '[', ']', '{', '}', '<', '>', '‹', '›'],
];

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', 'test-results/', '.oblivious/', '.services/', 'node_modules/', 'ui/public/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  {
    files: HOUSES.map((house) => `${house}/**/*.ts`).concat('ui/**/*.ts', 'ui/**/*.vue'),
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname, extraFileExtensions: ['.vue'] },
    },
    rules: {
      'no-console': 'error',
      eqeqeq: 'error',
      'no-restricted-syntax': ['error', NO_BARREL, NO_DEFAULT_EXPORT],
      '@typescript-eslint/consistent-type-imports': ['error', { prefer: 'type-imports', fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/consistent-type-exports': 'error',
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { arguments: true, attributes: false } }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/prefer-readonly': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true }],
      // Takes a branded bigint for something that is no number; Money is one.
      '@typescript-eslint/no-unsafe-unary-minus': 'off',
      // A method that answers a port's promise without waiting for anything is no mistake.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true, allowNullish: false }],
    },
  },
  {
    files: ['domain/**/*.ts', 'projections/**/projection.ts'],
    rules: {
      'no-restricted-syntax': ['error', NO_BARREL, NO_DEFAULT_EXPORT, ...IMPURE],
      'no-restricted-globals': ['error', ...IMPURE_GLOBALS],
      'no-restricted-imports': ['error', { patterns: [{ group: ['node:*'], message: 'Pure code has its arguments and nothing else.' }] }],
    },
  },
  {
    files: ['schemas/**/*.ts'],
    // The type of a schema is what zod infers from it; written out it would be a second, weaker schema.
    rules: { '@typescript-eslint/explicit-module-boundary-types': 'off' },
  },
  {
    files: ['*/ports/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', NO_BARREL, NO_DEFAULT_EXPORT, ...TYPES_ONLY] },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // chai's assertions are property reads, and what a test reads back is what it is about to check.
      '@typescript-eslint/no-unused-expressions': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/explicit-module-boundary-types': 'off',
    },
  },
  {
    files: ['ui/**/*.vue'],
    extends: [vue.configs['flat/recommended']],
    languageOptions: { parser: vueParser, parserOptions: { parser: tseslint.parser } },
    rules: {
      // A single-file component is its default export.
      'no-restricted-syntax': ['error', NO_BARREL],
      'vue/block-lang': ['error', { script: { lang: 'ts' } }],
      'vue/component-api-style': ['error', ['script-setup']],
      'vue/html-button-has-type': 'error',
      'vue/multi-word-component-names': 'off',
      'vue/no-bare-strings-in-template': ['error', { allowlist: NOT_LANGUAGE }],
      'vue/no-unused-refs': 'error',
      'vue/no-v-html': 'error',
      'vue/require-default-prop': 'off',
      'vue/html-self-closing': ['error', { html: { void: 'any', normal: 'any', component: 'always' } }],
      // Layout is prettier's.
      'vue/html-indent': 'off',
      'vue/html-closing-bracket-newline': 'off',
      'vue/max-attributes-per-line': 'off',
      'vue/singleline-html-element-content-newline': 'off',
      'vue/multiline-html-element-content-newline': 'off',
      'vue/first-attribute-linebreak': 'off',
    },
  },
  {
    files: ['ui/**/*.{ts,vue}'],
    rules: {
      // The type checker knows the browser's globals; a list of them here would only repeat it.
      'no-undef': 'off',
      // vue-tsc understands the types of single-file components; here they are `any`.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  {
    files: ['ui/*.config.ts'],
    rules: { 'no-restricted-syntax': ['error', NO_BARREL] },
  },
  {
    files: ['**/*.{js,cjs,mjs}'],
    languageOptions: { globals: { module: 'readonly', process: 'readonly', console: 'readonly', URL: 'readonly' } },
  },
);
