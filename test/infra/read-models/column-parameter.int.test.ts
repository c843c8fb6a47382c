import { expect } from 'chai';
import fc from 'fast-check';
import type { ReadModels } from '../../../infra/read-models/read-models.ts';
import { UnfitValue, writeColumn } from '../../../infra/read-models/column-parameter.ts';
import { ColumnValues, rowsFrom, rowStatements, type Column, type ColumnValue } from '../../../projections/engine/columns.ts';
import { DATABASES } from '../../support/read-models.ts';

interface Row {
  readonly flag: boolean | null;
  readonly small: number | null;
  readonly whole: number | null;
  readonly large: bigint | null;
  readonly count: bigint | null;
  readonly text: string | null;
  readonly moment: string | null;
}

const COLUMNS: readonly Column<Row>[] = [
  { name: 'flag', type: 'bool', of: ({ flag }) => flag },
  { name: 'small', type: 'int2', of: ({ small }) => small },
  { name: 'whole', type: 'int4', of: ({ whole }) => whole },
  { name: 'large', type: 'int8', of: ({ large }) => large },
  // The same as a number.
  { name: 'count', type: 'int8', of: ({ count }) => (count === null ? null : Number(count)) },
  { name: 'text', type: 'text', of: ({ text }) => text },
  { name: 'moment', type: 'timestamptz', of: ({ moment }) => moment },
];

const nullable = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | null> => fc.option(value, { freq: 4 });

const rows: fc.Arbitrary<Row> = fc.record({
  flag: nullable(fc.boolean()),
  small: nullable(fc.integer({ min: -32_768, max: 32_767 })),
  whole: nullable(fc.integer({ min: -2_147_483_648, max: 2_147_483_647 })),
  large: nullable(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
  count: nullable(fc.maxSafeInteger().map(BigInt)),
  text: nullable(fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\0', ''))),
  moment: nullable(
    fc
      .date({ min: new Date('1970-01-01T00:00:00Z'), max: new Date('2500-01-01T00:00:00Z'), noInvalidDate: true })
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

    it('have a replacement character for NUL and for half of a surrogate pair, which no text of a database holds', async () => {
      const texts: readonly Column<string>[] = [{ name: 'text', type: 'text', of: (text) => text }];
      const [statement] = rowStatements(`SELECT * FROM ${rowsFrom(texts, 'r')}`, texts, ['a\0b', '\ud800', '😀']);
      if (statement === undefined) throw new Error('there is no statement');
      const { rows: arrived } = await models.database.query(statement.text, statement.values);
      expect(arrived).to.deep.equal([{ text: 'a\ufffdb' }, { text: '\ufffd' }, { text: '😀' }]);
      expect((await models.database.query('SELECT $1::text AS text', ['a\0\ud800'])).rows).to.deep.equal([{ text: 'a\ufffd\ufffd' }]);
    });

    it('arrive as they were sent when many are asked for at once', async () => {
      const sent = Array.from({ length: 20 }, (_, index) => 'x'.repeat(index * 1_000));
      const columns: readonly Column<string>[] = [{ name: 'text', type: 'text', of: (row) => row }];
      const arrived = await Promise.all(
        sent.map(async (row) => {
          const [statement] = rowStatements(`SELECT text FROM ${rowsFrom(columns, 'r')}`, columns, [row]);
          return (await models.database.query<{ text: string }>(statement?.text ?? '', statement?.values)).rows[0]?.text;
        }),
      );
      expect(arrived).to.deep.equal(sent);
    });

    it('leave the connection of use when the statement fails', async () => {
      const columns: readonly Column<string>[] = [{ name: 'text', type: 'text', of: (row) => row }];
      const [statement] = rowStatements(`SELECT text::integer AS n FROM ${rowsFrom(columns, 'r')}`, columns, ['none']);
      for (let round = 0; round < 3; round++) {
        const failure = await models.database.query(statement?.text ?? '', statement?.values).catch((error: unknown) => error);
        expect(failure).to.be.instanceOf(Error).and.to.have.property('code', '22P02');
      }
      expect((await models.database.query('SELECT 1 AS n')).rows).to.deep.equal([{ n: 1 }]);
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
      expect(() => writeColumn(Buffer.alloc(100), 0, new ColumnValues(type, [null, value]))).to.throw(UnfitValue, 'does not fit');
    });
});
