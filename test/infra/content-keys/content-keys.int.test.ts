import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { KeysUnavailable } from '../../../commands/responses/archive-unavailable.ts';
import { contentVault } from '../../../infra/content-keys/content-vault.ts';
import type { ContentKeys } from '../../../infra/content-keys/content-keys.ts';
import { postgresContentKeys } from '../../../infra/content-keys/postgres-keys.ts';
import { sqliteContentKeys } from '../../../infra/content-keys/sqlite-keys.ts';
import { masterKeyOf } from '../../../infra/crypto/master-key.ts';
import { secretBox } from '../../../infra/crypto/secret-box.ts';
import { testDatabase } from '../../support/postgres.ts';

const box = secretBox(masterKeyOf(Buffer.alloc(32, 7)));
const key = (contentId: string): { contentId: string; sealedKey: string } => ({ contentId, sealedKey: `sealed ${contentId}` });

interface Opened {
  readonly keys: ContentKeys;
  readonly close: () => Promise<void>;
}

const conformance = (name: string, open: () => Promise<Opened>): void => {
  describe(`keys of contents in ${name}`, () => {
    let opened: Opened;
    let keys: ContentKeys;
    before(async function () {
      this.timeout(60_000);
      opened = await open();
      ({ keys } = opened);
    });
    after(() => opened.close());

    it('are found until they are removed, alone or with their group', async () => {
      await keys.put([key('a'), key('b')], { group: 'g1', userId: 'usr_1', expiresAt: 1_000 });
      await keys.put([key('c')], { group: 'g2', userId: 'usr_1', expiresAt: 1_000 });
      expect([...(await keys.get(['a', 'b', 'c', 'd'], 1))].sort()).to.deep.equal([
        ['a', 'sealed a'],
        ['b', 'sealed b'],
        ['c', 'sealed c'],
      ]);
      await keys.remove('a');
      expect([...(await keys.get(['a', 'b', 'c'], 1)).keys()].sort()).to.deep.equal(['b', 'c']);
      await keys.removeGroup('g1');
      expect([...(await keys.get(['a', 'b', 'c'], 1)).keys()]).to.deep.equal(['c']);
    });

    it('expire with the latest of their group', async () => {
      await keys.put([key('e1')], { group: 'e', userId: 'usr_1', expiresAt: 5_000 });
      await keys.put([key('e2')], { group: 'e', userId: 'usr_1', expiresAt: 9_000 });
      await keys.put([key('f')], { group: 'f', userId: 'usr_1', expiresAt: 5_000 });
      expect((await keys.get(['e1', 'e2', 'f'], 5_000)).size).to.equal(2);
      await keys.removeExpired(5_000);
      // Asked for an earlier moment, what was removed is still gone.
      expect([...(await keys.get(['e1', 'e2', 'f'], 1)).keys()].sort()).to.deep.equal(['e1', 'e2']);
      await keys.removeExpired(9_000);
      expect((await keys.get(['e1', 'e2', 'f'], 1)).size).to.equal(0);
    });

    it('open what they closed, until they are destroyed', async () => {
      const vault = contentVault(keys, box, { now: () => 1 });
      const text = Buffer.from('what was said '.repeat(100));
      const [ciphertext = ''] = await vault.seal([{ contentId: 'x', bytes: text }], { group: 'x', userId: 'usr_1', expiresAt: 10 });
      expect(Buffer.from(ciphertext, 'base64').includes('said')).to.equal(false);
      expect(ciphertext.length).to.be.lessThan(text.length);
      expect(await vault.open([{ contentId: 'x', ciphertext }])).to.deep.equal([text]);
      const altered = Buffer.from(ciphertext, 'base64');
      altered[20] = (altered[20] ?? 0) ^ 1;
      const error: unknown = await vault
        .open([{ contentId: 'x', ciphertext: altered.toString('base64') }])
        .catch((caught: unknown) => caught);
      expect(error).to.be.instanceOf(Error).and.not.instanceOf(KeysUnavailable);
      await vault.destroyGroup('x');
      expect(await vault.open([{ contentId: 'x', ciphertext }])).to.deep.equal([null]);
    });

    it('take a key once only', async () => {
      await keys.put([key('once')], { group: 'o', userId: 'usr_1', expiresAt: 10 });
      const again = await keys
        .put([key('new'), key('once')], { group: 'o', userId: 'usr_1', expiresAt: 10 })
        .catch((caught: unknown) => caught);
      expect(again).to.be.instanceOf(Error);
      expect((await keys.get(['new'], 1)).size, 'all or nothing').to.equal(0);
    });
  });
};

conformance('SQLite', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'oblivious-test-keys-'));
  const keys = sqliteContentKeys(join(folder, 'keys.sqlite'));
  return {
    keys,
    close: async () => {
      await keys.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
});

conformance('PostgreSQL', async () => {
  const database = await testDatabase();
  const keys = postgresContentKeys(database.url, 2);
  return {
    keys,
    close: async () => {
      await keys.close();
      await database.drop();
    },
  };
});

describe('keys of contents that are gone', () => {
  it('leave no trace in the files of SQLite', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'oblivious-test-keys-'));
    const file = join(folder, 'keys.sqlite');
    const keys = sqliteContentKeys(file);
    const anywhere = (): boolean => ['', '-wal'].some((suffix) => readFileSync(`${file}${suffix}`).includes('a-key-to-be-forgotten'));
    await keys.put([{ contentId: 'a', sealedKey: 'a-key-to-be-forgotten' }], { group: 'a', userId: 'usr_1', expiresAt: 10 });
    expect(anywhere()).to.equal(true);
    await keys.removeGroup('a');
    expect(anywhere()).to.equal(false);
    await keys.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('are told from keys that cannot be reached', async () => {
    const keys = postgresContentKeys('postgres://nobody@127.0.0.1:1/none', 1);
    const vault = contentVault(keys, box, { now: () => 1 });
    const error: unknown = await vault.open([{ contentId: 'x', ciphertext: 'AAAA' }]).catch((caught: unknown) => caught);
    expect(error).to.be.instanceOf(KeysUnavailable);
    await keys.close();
  });
});
