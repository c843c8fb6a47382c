import { expect } from 'chai';
import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { openBrowser, seen, until, type WatchedBrowser } from './support/browser.ts';
import { startConsoleServer, type ConsoleServer } from './support/console-server.ts';

describe('the console’s notifications and exports, in a browser', function () {
  this.timeout(120_000);
  let server: ConsoleServer;
  let browser: WatchedBrowser;
  before(async function () {
    this.timeout(180_000);
    [server, browser] = await Promise.all([startConsoleServer(), openBrowser()]);
    await server
      .client()
      .chat.completions.create({ model: 'sandbox-echo', messages: [{ role: 'user', content: 'Hello.' }], max_tokens: 20 });
  });
  after(async () => {
    await browser.close();
    await server.stop();
  });
  afterEach(async () => {
    await browser.closePages();
    expect(browser.complaints(), 'the browser has nothing to complain about').to.deep.equal([]);
  });

  it('tell an administrator of a channel that goes off, until it is read', async () => {
    const page = await browser.page();
    await server.signIn(page, '/channels');
    await page
      .getByRole('button', { name: /^Actions for/ })
      .first()
      .click();
    await page.getByRole('menuitem', { name: 'Disable channel' }).click();
    await page.goto(`${server.url}/notifications`);
    const unread = page.getByRole('navigation').getByText('1 unread notification');
    for (let tries = 0; tries < 60 && (await unread.count()) === 0; tries++) {
      await page.reload();
      await seen(page.locator('main h1'));
      await until(page, `document.querySelector('[aria-busy=true]') === null`);
    }
    await unread.waitFor({ state: 'attached' });
    await seen(page.getByText('Somebody switched it off.'));
    await page.getByRole('button', { name: 'Mark all as read' }).click();
    await unread.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Mark all as read' }).waitFor({ state: 'detached' });
  });

  it('make a file of the journal and hand it over', async () => {
    const page = await browser.page({ acceptDownloads: true });
    await server.signIn(page, '/ledger');
    await page.getByRole('button', { name: 'Export file' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Make the file' }).click();
    await page.waitForURL(/\/exports$/);
    const link = page.getByRole('link', { name: 'Download: Journal (CSV)' });
    await seen(link);
    const [download] = await Promise.all([page.waitForEvent('download'), link.click()]);
    expect(download.suggestedFilename()).to.match(/^exp_\w+\.csv\.gz$/);
    const text = gunzipSync(await readFile(await download.path())).toString('utf8');
    expect(text).to.include('entry,recorded_at,kind').and.to.include('grant');
  });
});
