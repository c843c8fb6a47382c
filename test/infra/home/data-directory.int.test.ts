import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Unusable } from '../../../infra/config/unusable.ts';
import { DataDirectoryInUse, openDataDirectory } from '../../../infra/home/data-directory.ts';

const HOLDER = `
  import { openDataDirectory } from ${JSON.stringify(new URL('../../../infra/home/data-directory.ts', import.meta.url).href)};
  await openDataDirectory(process.argv[1]);
  process.stdout.write('held');
  setInterval(() => undefined, 1_000);
`;

describe('the data directory', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'oblivious-home-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const refusalOf = (home: string): Promise<unknown> =>
    openDataDirectory(home).then(
      (directory) => directory.release(),
      (error: unknown) => error,
    );

  it('is made for its owner alone', async () => {
    const home = join(folder, 'new', 'home');
    const directory = await openDataDirectory(home);
    expect(statSync(home).mode & 0o777).to.equal(0o700);
    expect(statSync(join(home, 'lock')).mode & 0o777).to.equal(0o600);
    directory.release();
  });

  it('is had by one at a time, and by the next after that', async () => {
    const first = await openDataDirectory(folder);
    const refusal = await refusalOf(folder);
    expect(refusal).to.be.instanceOf(DataDirectoryInUse);
    expect((refusal as Error).message)
      .to.contain(folder)
      .and.contain('OBLIVIOUS_HOME');
    first.release();
    (await openDataDirectory(folder)).release();
  });

  it('is named where something is in its way', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    expect(await refusalOf(file))
      .to.be.instanceOf(Unusable)
      .and.have.property('message')
      .that.contains(`OBLIVIOUS_HOME: ${file} cannot be used`);
    writeFileSync(join(folder, 'lock'), 'no database of anybody’s');
    expect(await refusalOf(folder))
      .to.be.instanceOf(Unusable)
      .and.have.property('message')
      .that.contains(`${join(folder, 'lock')} cannot be used`);
  });

  it('is free again as soon as its process is killed, however it is killed', async () => {
    const holder = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', HOLDER, folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(holder.stdout, 'data');
    expect(await refusalOf(folder)).to.be.instanceOf(DataDirectoryInUse);
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    (await openDataDirectory(folder)).release();
  });
});
