import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { createProgramLog, type ProgramLog } from '../../../infra/logging/logger.ts';

const written = (
  write: (log: ProgramLog) => void,
  options: { level?: 'info' | 'warn'; accessLog?: boolean } = {},
): readonly Record<string, unknown>[] => {
  const folder = mkdtempSync(join(tmpdir(), 'oblivious-log-'));
  const fd = openSync(join(folder, 'log'), 'w');
  try {
    const log = createProgramLog({ level: options.level ?? 'info', accessLog: options.accessLog ?? true, fd });
    write(log);
    log.flushSync();
    return readFileSync(join(folder, 'log'), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  } finally {
    closeSync(fd);
    rmSync(folder, { recursive: true });
  }
};

describe('the log', () => {
  it('is one JSON object a line', () => {
    const lines = written((log) => {
      log.info('ready', { url: 'http://127.0.0.1:1', big: 10n });
      log.request({ requestId: 'req_1', status: 200 });
      log.debug('not at this level');
    });
    expect(lines).to.have.length(2);
    expect(lines[0]).to.include({ level: 'info', message: 'ready', url: 'http://127.0.0.1:1', big: '10' });
    expect(lines[1]).to.include({ level: 'info', message: 'request', requestId: 'req_1', status: 200 });
    for (const line of lines) expect(Date.parse(String(line['timestamp']))).to.be.a('number').and.not.NaN;
  });

  it('leaves out requests when told to, and below the level of information', () => {
    expect(written((log) => log.request({ status: 200 }), { accessLog: false })).to.deep.equal([]);
    expect(written((log) => log.request({ status: 200 }), { level: 'warn' })).to.deep.equal([]);
  });

  it('never holds a secret, wherever it stands', () => {
    const key = 'sk-ob-HfXDxPEFtZfkCQIhJgq7z4b1mM0q5OzSIcy2h9Fxll10M2dSs';
    const lines = written((log) => {
      log.warn(`upstream said ${key}`, {
        error: new Error(`401 for Bearer ${key}`),
        nested: { authorization: 'Basic abc', list: [`x ${key}`] },
        url: 'postgres://me:hunter2hunter2@db/x',
        password: 'hunter2hunter2',
      });
    });
    expect(lines).to.have.length(1);
    expect(JSON.stringify(lines)).not.to.match(/HfXDx|hunter2|Basic abc/);
    expect(JSON.stringify(lines)).to.contain('upstream said').and.to.contain('401 for');
  });
});
