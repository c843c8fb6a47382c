'use strict';

/*
 * Who may import whom. The table is in docs/decisions/0002-import-rule.md; test/house/import-rule.int.test.ts shows that each rule bites.
 */

const HOUSES = '^(schemas|domain|commands|projections|gateways|infra|ui|test)/';
const NPM = 'node_modules/';
const CORE = ['core'];
const ANY_PACKAGE = ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'core'];

/** The house may import project files of the given houses only. */
const onlyHouses = (house, allowed) => ({
  name: `${house}-imports`,
  comment: `${house}/ may import ${allowed.join(', ')} and nothing else of the project.`,
  severity: 'error',
  from: { path: `^${house}/` },
  to: { path: HOUSES, pathNot: `^(${allowed.join('|')})/` },
});

/** What only adapters may touch: a layer that imports one of these has made itself untestable without it. */
const DRIVERS = `${NPM}(pg|libsql|undici|winston|prom-client|js-tiktoken|ioredis|kafkajs|@electric-sql|@eventstore|@node-rs|@opentelemetry/(sdk|exporter))`;

module.exports = {
  forbidden: [
    onlyHouses('schemas', ['schemas']),
    onlyHouses('domain', ['schemas', 'domain']),
    onlyHouses('commands', ['schemas', 'domain', 'commands']),
    onlyHouses('projections', ['schemas', 'domain', 'projections']),
    onlyHouses('gateways', ['schemas', 'domain', 'commands', 'projections', 'gateways']),
    onlyHouses('infra', ['schemas', 'domain', 'commands', 'projections', 'gateways', 'infra']),
    onlyHouses('ui', ['schemas', 'ui']),
    {
      name: 'schemas-only-zod',
      comment: 'schemas/ is read by server, browser and tools alike: zod is all it may need.',
      severity: 'error',
      from: { path: '^schemas/' },
      to: { dependencyTypes: ANY_PACKAGE, pathNot: `${NPM}zod/` },
    },
    {
      name: 'domain-is-pure',
      comment: 'domain/ decides from its arguments alone: no package and no node:* module, not even for types.',
      severity: 'error',
      from: { path: '^domain/' },
      to: { dependencyTypes: ANY_PACKAGE },
    },
    {
      name: 'no-drivers-outside-infra',
      comment: 'I/O lives in infra/, behind a port of the layer that needs it.',
      severity: 'error',
      from: { path: '^(commands|projections|gateways)/' },
      to: { path: DRIVERS },
    },
    {
      name: 'no-input-output-in-the-middle',
      comment: 'commands/ and projections/ reach files, sockets and processes through their ports.',
      severity: 'error',
      from: { path: '^(commands|projections)/' },
      to: {
        dependencyTypes: CORE,
        path: '^(node:)?(fs|net|tls|http|https|http2|dgram|dns|child_process|cluster|worker_threads|readline|repl|inspector)(/|$)',
      },
    },
    {
      name: 'inversify-in-the-container-only',
      comment: 'Everything else takes its collaborators as parameters and can be built by hand in a test.',
      severity: 'error',
      from: { path: HOUSES, pathNot: '^infra/container/' },
      to: { path: `${NPM}(inversify|@inversifyjs|reflect-metadata)/` },
    },
    {
      name: 'ports-are-types',
      comment: 'A port is a type-only file: import it with "import type", and import nothing but types into it.',
      severity: 'error',
      from: { path: HOUSES },
      to: { path: '^(commands|projections|gateways)/ports/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'ports-import-types',
      severity: 'error',
      from: { path: '^(commands|projections|gateways)/ports/' },
      to: { dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'ui-is-for-the-browser',
      comment: 'Nothing of node:* reaches the browser; the build files of ui/ are the exception.',
      severity: 'error',
      from: { path: '^ui/', pathNot: '^ui/[^/]+\\.config\\.ts$' },
      to: { dependencyTypes: CORE },
    },
    {
      name: 'ui-has-no-server-packages',
      severity: 'error',
      from: { path: '^ui/' },
      to: { path: [DRIVERS, `${NPM}express/`] },
    },
    {
      name: 'no-development-packages-in-production',
      comment: 'What the server imports must be in "dependencies". Entries named -from-source are not part of the build.',
      severity: 'error',
      from: { path: '^(schemas|domain|commands|projections|gateways|infra)/', pathNot: ['^infra/build/', '-from-source[.]mjs$'] },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-circular',
      comment: 'Files that need each other are one file, or one of them knows too much.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-unresolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '^virtual:' },
    },
    {
      name: 'no-undeclared-packages',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'no-nameless-concepts',
      comment: 'utils, helpers, common, manager and base are not concepts: name the file for what it knows.',
      severity: 'error',
      from: {},
      to: { path: ['/(utils?|helpers?|common|managers?|base|misc)[./]', '-(utils?|helpers?|common|managers?|base|misc)[.]'], pathNot: NPM },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|coverage|test-results)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    detectProcessBuiltinModuleCalls: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.d.ts', '.mjs', '.js', '.vue', '.json'],
      mainFields: ['module', 'main', 'types'],
    },
    cache: { folder: 'node_modules/.cache/dependency-cruiser', strategy: 'content' },
  },
};
