import { expect } from 'chai';
import { z } from 'zod';
import { consoleReads } from '../../../../gateways/console/reads/console-reads.ts';
import type { ConsoleReads, PageAsked } from '../../../../gateways/ports/console-reads.ts';
import type { ReadModelDatabase } from '../../../../projections/ports/read-model-database.ts';
import { startProjecting, type Projecting } from '../../../support/projecting.ts';
import { DATABASES } from '../../../support/read-models.ts';
import { clock, openShop, type Shop } from './shop.ts';

export interface OpenShop extends Shop {
  readonly reads: ConsoleReads;
  readonly database: ReadModelDatabase;
  /** As {@link reads}, at another moment. */
  readsAt(now: number): ConsoleReads;
}

/** Runs tests that change nothing over the shop's history, on every kind of database. */
export const describeOnShop = (title: string, tests: (shop: () => OpenShop) => void): void => {
  for (const { name, open } of DATABASES) {
    describe(`${title}, on ${name}`, () => {
      let shop: OpenShop | undefined;
      let close = async (): Promise<void> => undefined;

      before(async function () {
        this.timeout(60_000);
        const models = await open();
        close = models.close;
        const { database } = models;
        const opened = await openShop();
        const projecting: Projecting = startProjecting({ feed: opened.log, database });
        close = async () => {
          await projecting.stop();
          await models.close();
        };
        await projecting.caughtUp();
        expect(projecting.reports.filter(({ kind }) => kind === 'parked' || kind === 'interrupted')).to.deep.equal([]);
        const readsAt = (now: number): ConsoleReads =>
          consoleReads({ sql: database, log: opened.log, board: projecting.board, clock: { now: () => now } });
        shop = { ...opened, database, reads: readsAt(clock.now()), readsAt };
      });
      after(() => close());

      tests(() => {
        if (shop === undefined) throw new Error('the shop is not open yet');
        return shop;
      });
    });
  }
};

/** The answer, once it is known to be what the schema says, on the wire and back. */
export const answered = <Schema extends z.ZodType>(schema: Schema, value: z.output<Schema>): z.output<Schema> => {
  const text = JSON.stringify(z.encode(schema, value));
  expect(schema.parse(JSON.parse(text))).to.deep.equal(value);
  return value;
};

/** Every row of every page, and a check that no page but the last is short. */
export const walk = async <Row>(
  limit: number,
  read: (page: PageAsked) => Promise<{ readonly rows: readonly Row[]; readonly nextCursor: string | null }>,
): Promise<readonly Row[]> => {
  const all: Row[] = [];
  for (let cursor: string | undefined; ;) {
    const { rows, nextCursor } = await read({ cursor, limit });
    all.push(...rows);
    expect(rows.length).to.be.at.most(limit);
    if (nextCursor === null) return all;
    expect(rows.length).to.equal(limit);
    cursor = nextCursor;
  }
};

/** Cursors that no page ever gave: each is to be read as the first page. */
export const FOREIGN_CURSORS = [
  '',
  'x',
  '0',
  '99999999999999999999',
  '-1.0',
  'usr_\0',
  'a\0b',
  Buffer.from('"9999999999999999999"').toString('base64url'),
  Buffer.from('"a\\u0000b"').toString('base64url'),
  Buffer.from('{"position":"1"}').toString('base64url'),
  Buffer.from('{"position":"9223372036854775808","entry":1}').toString('base64url'),
  Buffer.from('null').toString('base64url'),
] as const;

export const ALL: PageAsked = { cursor: undefined, limit: 200 };
