/**
 * Makes the shipped price list out of a table of figures, by hand and not at every build:
 *
 *   npx tsx infra/prices/import-figures.ts <figures.json> --as-of 2026-08-01 --source "where the figures come from"
 */
import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { readFigures } from './figures.ts';
import { ShippedPriceList } from './price-list.ts';

const { positionals, values } = parseArgs({ allowPositionals: true, options: { 'as-of': { type: 'string' }, source: { type: 'string' } } });
const [figures] = positionals;
const { 'as-of': asOf, source } = values;
if (figures === undefined || asOf === undefined || source === undefined) {
  process.stderr.write('usage: import-figures.ts <figures.json> --as-of YYYY-MM-DD --source TEXT\n');
  process.exit(2);
}

const { models, left } = readFigures(await readFile(figures, 'utf8'));
const list = z.encode(ShippedPriceList, { title: `Public prices as of ${asOf}`, asOf, source, models: [...models] });
// One model a line: a change of prices reads as one.
const text = `${JSON.stringify({ ...list, models: [] }, null, 2).replace('"models": []', `"models": [\n    ${list.models.map((model) => JSON.stringify(model)).join(',\n    ')}\n  ]`)}\n`;
await writeFile(new URL('./price-list.json', import.meta.url), text);
process.stderr.write(
  `${models.length} models written, ${Buffer.byteLength(text)} bytes.\n${left.length === 0 ? '' : `Left out for want of a usable rate: ${left.join(', ')}\n`}`,
);
