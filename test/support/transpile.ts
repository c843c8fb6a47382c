import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const IMPORT = /(?:from|import)\s*\(?\s*'(\.{1,2}\/[^']+\.ts)'/g;

/**
 * Turns modules and what they import, by relative paths, into JavaScript as the build does, under `outDir`: for child processes that must
 * start quickly, and to see that code works in its built form. Returns the entries' built paths.
 *
 * @param entries paths from the root of the project; a module that is started as a thread is an entry of its own.
 */
export const transpile = (entries: readonly string[], outDir: string): string[] => {
  mkdirSync(outDir, { recursive: true });
  // The folder may lie inside node_modules, where the project's own package.json does not reach.
  writeFileSync(join(outDir, 'package.json'), '{"type":"module"}');
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as {
    readonly config: { readonly compilerOptions: object };
  };
  const { options } = ts.convertCompilerOptionsFromJson(
    {
      ...config.compilerOptions,
      rewriteRelativeImportExtensions: true,
      noEmit: false,
      incremental: false,
      module: 'esnext',
      moduleResolution: 'bundler',
    },
    ROOT,
  );
  const built = (source: string): string => join(outDir, relative(ROOT, source)).replace(/\.ts$/, '.js');
  const queue = entries.map((entry) => resolve(ROOT, entry));
  const seen = new Set<string>();
  for (let source = queue.pop(); source !== undefined; source = queue.pop()) {
    if (seen.has(source)) continue;
    seen.add(source);
    const text = readFileSync(source, 'utf8');
    for (const [, imported] of text.matchAll(IMPORT)) queue.push(resolve(dirname(source), imported as string));
    const { outputText } = ts.transpileModule(text, { compilerOptions: options, fileName: source });
    mkdirSync(dirname(built(source)), { recursive: true });
    writeFileSync(built(source), outputText);
  }
  return entries.map((entry) => built(resolve(ROOT, entry)));
};
