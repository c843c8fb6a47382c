import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Blob, Blobs } from '../../../commands/ports/blobs.ts';
import { openBlobs, type OpenedBlobs } from '../../../infra/blobs/open-blobs.ts';
import { masterKeyOf } from '../../../infra/crypto/master-key.ts';
import { secretBox } from '../../../infra/crypto/secret-box.ts';
import { UserId } from '../../../schemas/ids.ts';
import { testDatabase } from '../../support/postgres.ts';

const box = secretBox(masterKeyOf(Buffer.alloc(32, 7)));
const userId = UserId.parse('usr_1');
const blob = (id: string, part: number, text: string, tag = ''): Blob => ({ id, part, userId, tag, bytes: Buffer.from(text) });

interface Opened extends OpenedBlobs {
  /** Everything that is stored, as it lies there. */
  readonly stored: () => Promise<Buffer>;
}

const conformance = (name: string, open: () => Promise<Opened>): void => {
  describe(`blobs in ${name}`, () => {
    let opened: Opened;
    let blobs: Blobs;
    before(async function () {
      this.timeout(60_000);
      opened = await open();
      ({ blobs } = opened);
    });
    after(() => opened.close());

    it('come back as they were put, part by part, until they are removed with all their parts', async () => {
      const large = Buffer.alloc(3_000_000, 'abc');
      expect(await blobs.put({ ...blob('file:a', 0, ''), bytes: large })).to.equal(true);
      expect(await blobs.put(blob('file:a', 1, 'second', 't'))).to.equal(true);
      expect(await blobs.put(blob('file:b', 0, ''))).to.equal(true);
      expect((await blobs.get('file:a', 0))?.bytes.equals(large)).to.equal(true);
      expect(await blobs.get('file:a', 1)).to.deep.equal({ tag: 't', bytes: Buffer.from('second') });
      expect((await blobs.get('file:b', 0))?.bytes).to.have.length(0);
      await blobs.remove(['file:a', 'file:none']);
      await blobs.remove([]);
      expect(await blobs.get('file:a', 0)).to.equal(null);
      expect(await blobs.get('file:a', 1)).to.equal(null);
      expect(await blobs.get('file:b', 0)).not.to.equal(null);
    });

    it('give way only to what says which of them it replaces, of many at once to one', async () => {
      expect(await blobs.put(blob('vec:a', 0, 'one', 'call 1'))).to.equal(true);
      expect(await blobs.put(blob('vec:a', 0, 'two', 'call 2'))).to.equal(false);
      expect(await blobs.put(blob('vec:a', 0, 'two', 'call 2'), 'call 0')).to.equal(false);
      const won = await Promise.all([2, 3, 4].map((call) => blobs.put(blob('vec:a', 0, `call ${call}`, `call ${call}`), 'call 1')));
      expect(won.filter(Boolean)).to.have.length(1);
      const winner = `call ${won.indexOf(true) + 2}`;
      expect(await blobs.get('vec:a', 0)).to.deep.equal({ tag: winner, bytes: Buffer.from(winner) });
    });

    it('are ciphertext where they lie, and open nowhere but in their own place', async () => {
      await blobs.put(blob('file:secret', 0, 'the lighthouse keeper'));
      expect((await opened.stored()).includes('lighthouse')).to.equal(false);
    });
  });
};

conformance('SQLite', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'oblivious-blobs-'));
  const opened = openBlobs({ config: { DATABASE_URL: undefined }, file: join(folder, 'blobs.sqlite'), secretBox: box });
  return {
    blobs: opened.blobs,
    stored: async () => Buffer.concat(readdirSync(folder).map((file) => readFileSync(join(folder, file)))),
    close: async () => {
      await opened.close();
      rmSync(folder, { recursive: true });
    },
  };
});

conformance('PostgreSQL', async () => {
  const database = await testDatabase();
  const opened = openBlobs({ config: { DATABASE_URL: database.url }, file: '', secretBox: box });
  return {
    blobs: opened.blobs,
    stored: async () => {
      const { Client } = (await import('pg')).default;
      const client = new Client({ connectionString: database.url });
      await client.connect();
      const { rows } = await client.query<{ ciphertext: Buffer }>('SELECT ciphertext FROM blobs.blob');
      await client.end();
      return Buffer.concat(rows.map(({ ciphertext }) => ciphertext));
    },
    close: async () => {
      await opened.close();
      await database.drop();
    },
  };
});
