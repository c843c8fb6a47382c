import { expect } from 'chai';
import fc from 'fast-check';
import type { ReadModels } from '../../../infra/read-models/read-models.ts';
import { columnParameter } from '../../../infra/read-models/column-parameter.ts';
import { ColumnValues, rowsFrom, rowStatements, type Column, type ColumnValue } from '../../../projections/engine/columns.ts';
import { DATABASES } from '../../support/read-models.ts';

interface Row {
  readonly flag: boolean | null;
  readonly small: number | null;
  readonly whole: number | null;
  readonly large: bigint | null;
  readonly text: string | null;
  readonly moment: string | null;
}

const COLUMNS: readonly Column<Row>[] = [
  { name: 'flag', type: 'bool', of: ({ flag }) => flag },
  { name: 'small', type: 'int2', of: ({ small }) => small },
  { name: 'whole', type: 'int4', of: ({ whole }) => whole },
  { name: 'large', type: 'int8', of: ({ large }) => large },
  { name: 'text', type: 'text', of: ({ text }) => text },
  { name: 'moment', type: 'timestamptz', of: ({ moment }) => moment },
];

const nullable = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | null> => fc.option(value, { freq: 4 });

const rows: fc.Arbitrary<Row> = fc.record({
  flag: nullable(fc.boolean()),
  small: nullable(fc.integer({ min: -32_768, max: 32_767 })),
  whole: nullable(fc.integer({ min: -2_147_483_648, max: 2_147_483_647 })),
  large: nullable(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
  text: nullable(fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\0', ''))),
  moment: nullable(
    fc
      .date({ min: new Date('1970-01-01T00:00:00Z'), max: new Date('2200-01-01T00:00:00Z'), noInvalidDate: true })
      .map((date) => date.toISOString()),
  ),
});

for (const { name, open } of DATABASES) {
  describe(`rows in columns, on ${name}`, () => {
    let models: ReadModels;
    before(async () => {
      models = await open();
    });
    after(() => models.close());

    it('arrive as they were sent', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(rows, { minLength: 1, maxLength: 20 }), async (sent) => {
          const arrived: Row[] = [];
          for (const { text, values } of rowStatements(`SELECT * FROM ${rowsFrom(COLUMNS, 'r')}`, COLUMNS, sent))
            arrived.push(...(await models.database.query<Row>(text, values)).rows);
          expect(arrived).to.deep.equal(sent);
        }),
        { numRuns: 40 },
      );
    });

    it('are all written, in order, however many there are', async () => {
      const sent = Array.from({ length: 1_234 }, (_, index) => index);
      const columns: readonly Column<number>[] = [{ name: 'n', type: 'int4', of: (row) => row }];
      const arrived: number[] = [];
      let statements = 0;
      for (const { text, values } of rowStatements(`SELECT n FROM ${rowsFrom(columns, 'r')}`, columns, sent)) {
        statements += 1;
        arrived.push(...(await models.database.query<{ n: number }>(text, values)).rows.map(({ n }) => n));
      }
      expect(arrived).to.deep.equal(sent);
      expect(statements).to.be.greaterThan(1);
      expect([...rowStatements('', columns, [])]).to.deep.equal([]);
    });
  });
}

describe('a value that its column cannot hold', () => {
  const cases: readonly (readonly [ColumnValues['type'], ColumnValue])[] = [
    ['bool', 'true'],
    ['int2', 32_768],
    ['int4', 1.5],
    ['int8', 2n ** 63n],
    ['int8', '1'],
    ['text', 1],
    ['timestamptz', 'yesterday'],
  ];
  for (const [type, value] of cases)
    it(`is refused before it is sent: ${typeof value} ${String(value)} as ${type}`, () => {
      expect(() => columnParameter(new ColumnValues(type, [null, value]))).to.throw(TypeError, 'does not fit');
    });
});
