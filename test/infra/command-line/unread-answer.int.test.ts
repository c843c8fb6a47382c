import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** A process whose answer has no end and no reader; it says so on standard error where it lives on after it was told. */
const unread = async (ends: boolean): Promise<{ readonly code: number | null; readonly err: string }> => {
  const script = `
    import { endWhenUnread } from './infra/command-line/end-when-unread.ts';
    endWhenUnread(${ends});
    const answering = setInterval(() => process.stdout.write('more'), 1);
    process.stdout.once('error', () => { clearInterval(answering); process.stderr.write('alive'); });
  `;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.destroy();
  let err = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, err };
};

describe('an answer that nobody reads to its end', () => {
  it('ends a command with 1 and without a word', async function () {
    this.timeout(60_000);
    expect(await unread(true)).to.deep.equal({ code: 1, err: '' });
  });

  it('does not end a server', async function () {
    this.timeout(60_000);
    expect(await unread(false)).to.deep.equal({ code: 0, err: 'alive' });
  });
});
