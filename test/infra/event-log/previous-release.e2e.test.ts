import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import OpenAI, { AuthenticationError } from 'openai';
import { z } from 'zod';
import { openSqliteLog } from '../../../infra/event-log/sqlite/open-sqlite-log.ts';
import { appendSurely, appendTo, newEvent } from '../../support/log-events.ts';
import { serverEntry } from '../../support/server-process/server-entry.ts';
import { startServerProcess } from '../../support/server-process/server-process.ts';

/** An event file that release 0.1.0 wrote and was killed over, with a call under way; its key; and those whom it knew. */
const RELEASE = '0.1.0';
const fixture = (suffix: string): string => fileURLToPath(new URL(`../../fixtures/event-logs/${RELEASE}.${suffix}`, import.meta.url));
const Known = z.object({
  masterKey: z.string(),
  user: z.object({ userId: z.string(), apiKey: z.string(), revokedKey: z.string() }),
});
const { masterKey, user } = Known.parse(JSON.parse(readFileSync(fixture('json'), 'utf8')));

/** What that user's statement said under that release, newest first. */
const STATEMENT = ['1.99999678', '1.9999968', '1.9999984', '2.00'];

const ask = (home: string, ...words: readonly string[]): string =>
  execFileSync(process.execPath, [...serverEntry(), ...words], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] ?? '', OBLIVIOUS_HOME: home },
    stdio: ['ignore', 'pipe', 'ignore'],
  });

describe(`an event file of release ${RELEASE}`, function () {
  this.timeout(120_000);
  let home: string;

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'oblivious-release-'));
    mkdirSync(home, { recursive: true });
    copyFileSync(fixture('sqlite'), join(home, 'events.sqlite'));
    writeFileSync(join(home, 'master.key'), `${masterKey}\n`, { mode: 0o600 });
  });
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  it('starts, knows its keys and balances, ends the call that was under way, serves, and verifies, whatever later releases have written too', async () => {
    // A process of a later release, beside this one or before it, may have recorded what this one has no word for.
    const log = await openSqliteLog({ file: join(home, 'events.sqlite') });
    const foreign = await appendSurely(
      log,
      appendTo('user-usr_of_a_later_release', 'no_stream', [newEvent({ type: 'FavouriteColourChosen', data: { colour: 'green' } })]),
    );
    expect(foreign.outcome).to.equal('appended');
    await log.close();

    const server = await startServerProcess({ home });
    try {
      const statement = ask(home, 'ledger', 'statement', user.userId);
      for (const balance of STATEMENT) expect(statement).to.contain(`$${balance}`);
      const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: user.apiKey, maxRetries: 0 });
      const answer = await client.chat.completions.create({ model: 'sandbox-echo', messages: [{ role: 'user', content: 'Still here' }] });
      expect(answer.choices[0]?.message.content).to.equal('Still here');
      const revoked = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: user.revokedKey, maxRetries: 0 });
      expect(await revoked.models.list().catch((error: unknown) => error)).to.be.instanceOf(AuthenticationError);
      expect(ask(home, 'events', 'export', '--type', 'QuotaReleased')).to.match(/holder.lost/);
      expect(ask(home, 'parked', 'list')).not.to.contain('FavouriteColourChosen');
    } finally {
      await server.stop();
    }
    expect(ask(home, 'ledger', 'verify'))
      .to.contain('Every rule holds')
      .and.to.match(/0 open leases|held +\$0\.00/);
  });
});
