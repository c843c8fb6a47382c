import { chmod, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { MasterKeyRefused, loadMasterKey, masterKeyOf } from '../../../infra/crypto/master-key.ts';

const refusalOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work;
  } catch (error) {
    if (error instanceof MasterKeyRefused) return error.message;
    throw error;
  }
  return expect.fail('expected the key to be refused');
};

describe('master key', () => {
  let directory: string;
  let file: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'oblivious-key-'));
    file = join(directory, 'master.key');
  });
  afterEach(() => rm(directory, { recursive: true }));

  it('is made once, for its owner alone, and found again', async () => {
    const made = await loadMasterKey({ environmentKey: undefined, file });
    expect((await stat(file)).mode & 0o777).to.equal(0o600);
    expect(Buffer.from((await readFile(file, 'utf8')).trim(), 'base64')).to.have.length(32);
    const found = await loadMasterKey({ environmentKey: undefined, file });
    expect(found.id).to.equal(made.id);
    expect(found.derive('x')).to.deep.equal(made.derive('x'));
    expect(await readdir(directory)).to.deep.equal(['master.key']);
  });

  it('is one key when several processes make it at once', async () => {
    const keys = await Promise.all(Array.from({ length: 8 }, () => loadMasterKey({ environmentKey: undefined, file })));
    expect(new Set(keys.map(({ id }) => id)).size).to.equal(1);
    expect(await readdir(directory)).to.deep.equal(['master.key']);
  });

  it('is taken from the environment before the file', async () => {
    const bytes = Buffer.alloc(32, 9);
    expect((await loadMasterKey({ environmentKey: bytes.toString('base64'), file })).id).to.equal(masterKeyOf(bytes).id);
    expect(await readdir(directory)).to.deep.equal([]);
  });

  it('is refused when others can read it', async () => {
    await loadMasterKey({ environmentKey: undefined, file });
    for (const mode of [0o640, 0o604, 0o644, 0o660]) {
      await chmod(file, mode);
      expect(await refusalOf(loadMasterKey({ environmentKey: undefined, file })))
        .to.include('can be read by others')
        .and.include('chmod 600');
    }
  });

  it('is refused when it is not 32 bytes of base64', async () => {
    for (const text of [
      '',
      'short',
      Buffer.alloc(31).toString('base64'),
      Buffer.alloc(33).toString('base64'),
      `${Buffer.alloc(32).toString('base64')}!`,
    ]) {
      await writeFile(file, text, { mode: 0o600 });
      expect(await refusalOf(loadMasterKey({ environmentKey: undefined, file }))).to.include('does not hold a master key');
      expect(await refusalOf(loadMasterKey({ environmentKey: text, file }))).to.include('OBLIVIOUS_MASTER_KEY');
    }
    expect(await refusalOf(loadMasterKey({ environmentKey: 'x', file }))).not.to.include('x does');
  });

  it('gives each purpose a key of its own', () => {
    const master = masterKeyOf(Buffer.alloc(32, 1));
    const derived = ['a', 'b', 'secret box', 'session cookie'].map((purpose) => master.derive(purpose).toString('hex'));
    expect(new Set(derived).size).to.equal(4);
    expect(masterKeyOf(Buffer.alloc(32, 2)).derive('a').toString('hex')).not.to.equal(derived[0]);
  });
});
