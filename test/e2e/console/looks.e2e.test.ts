import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { axeFindings, focusedName, gone, openBrowser, seen, sidewaysScroll, tabTo, until, type WatchedBrowser } from './support/browser.ts';
import { startConsoleServer, type ConsoleServer } from './support/console-server.ts';

const ROOMS = [
  '/',
  '/keys',
  '/keys?new=1',
  '/requests',
  '/tasks',
  '/ledger',
  '/exports',
  '/notifications',
  '/channels',
  '/channels?new=1',
  '/users',
  '/users?new=1',
  '/routing',
  '/routing?new=1',
  '/limits',
  '/limits?new=1',
  '/account',
  '/no-such-page',
] as const;
/** Rooms whose first row opens beside the list. */
const LISTS: readonly string[] = ['/keys', '/requests', '/ledger', '/channels', '/users'];
const DESK = { width: 1280, height: 800 };
const PHONE = { width: 360, height: 740 };

describe('the look of the console', function () {
  this.timeout(240_000);
  let server: ConsoleServer;
  let browser: WatchedBrowser;

  /** Everything that was asked of the server has come, and the page is at rest. */
  const open = async (page: Page, path: string): Promise<void> => {
    await page.goto(`${server.url}${path}`);
    await seen(page.locator('main h1'));
    await until(page, `document.querySelector('[aria-busy=true]') === null`);
  };
  const isAccessibleAndFits = async (page: Page, what: string): Promise<void> => {
    expect(await axeFindings(page), what).to.deep.equal([]);
    expect(await sidewaysScroll(page), what).to.equal(0);
    expect(await page.locator('h1').count(), what).to.equal(1);
  };

  before(async function () {
    this.timeout(180_000);
    [server, browser] = await Promise.all([startConsoleServer(), openBrowser()]);
    const client = server.client();
    for (const model of ['sandbox-echo', 'sandbox-story'])
      await client.chat.completions.create({ model, messages: [{ role: 'user', content: 'Hello.' }], max_tokens: 20 });
    await client.chat.completions.create({ model: 'no-such-model', messages: [] }).catch(() => undefined);
  });
  after(async () => {
    await browser.close();
    await server.stop();
  });
  afterEach(async () => {
    await browser.closePages();
    expect(browser.complaints(), 'the browser has nothing to complain about').to.deep.equal([]);
  });

  for (const [name, colorScheme, viewport, locale] of [
    ['light', 'light', DESK, 'en'],
    ['dark', 'dark', DESK, 'en'],
    ['on a phone, in Chinese', 'light', PHONE, 'zh-CN'],
    ['on a phone, dark', 'dark', PHONE, 'en'],
  ] as const)
    it(`is accessible and fits: ${name}`, async () => {
      const page = await browser.page({ colorScheme, viewport, locale, hasTouch: viewport === PHONE });
      await page.goto(`${server.url}/sign-in`);
      await seen(page.locator('main h1'));
      expect(await page.getAttribute('html', 'data-theme')).to.equal(colorScheme);
      expect(await page.getAttribute('html', 'lang')).to.equal(locale);
      await isAccessibleAndFits(page, 'sign-in');
      await server.signIn(page);
      for (const path of ROOMS) {
        await open(page, path);
        await isAccessibleAndFits(page, path);
        if (!LISTS.includes(path)) continue;
        await page.locator('[data-row] a').first().click();
        await seen(page.getByRole('dialog'));
        await until(page, `document.querySelector('[aria-busy=true]') === null`);
        await isAccessibleAndFits(page, `${path}, one opened`);
      }
    });

  it('keeps theme and language, without a flash of the other ones', async () => {
    const page = await browser.page({ colorScheme: 'light' });
    await server.signIn(page);
    await page.getByRole('button', { name: /Account menu/ }).click();
    await page.getByRole('menuitemradio', { name: 'Dark' }).click();
    expect(await page.getAttribute('html', 'data-theme')).to.equal('dark');
    await page.getByRole('menuitemradio', { name: '简体中文' }).click();
    // The open menu speaks it at once; what lies beneath is hidden from assistive technology until the menu is closed.
    await seen(page.getByRole('menuitemradio', { name: '深色', checked: true }));
    await page.keyboard.press('Escape');
    await seen(page.getByRole('heading', { name: '概览' }));

    // What is set before the first paint: the markup as the theme script left it, before the app runs.
    await page.route('**/assets/*.js', (route) => route.abort());
    await page.reload();
    expect(await page.getAttribute('html', 'data-theme')).to.equal('dark');
    expect(await page.getAttribute('html', 'lang')).to.equal('zh-CN');
    await page.unroute('**/assets/*.js');
    await page.reload();
    await seen(page.getByRole('heading', { name: '概览' }));
    expect(await page.title()).to.equal('概览 · Oblivious');
    expect(await page.evaluate(`getComputedStyle(document.body).backgroundColor`)).to.match(/oklch\(0\.17/);
  });

  it('follows the system while nothing else is chosen', async () => {
    const page = await browser.page({ colorScheme: 'dark' });
    await server.signIn(page);
    expect(await page.getAttribute('html', 'data-theme')).to.equal('dark');
    await page.emulateMedia({ colorScheme: 'light' });
    await until(page, `document.documentElement.dataset.theme === 'light'`);
  });

  it('can be used with the keyboard alone', async () => {
    const page = await browser.page();
    await page.goto(`${server.url}/sign-in`);
    await seen(page.getByRole('heading', { name: 'Sign in' }));
    expect(await focusedName(page)).to.equal('E-mail address');
    await page.keyboard.type(server.adminEmail);
    await page.keyboard.press('Tab');
    await page.keyboard.type(server.adminPassword);
    await page.keyboard.press('Enter');
    await seen(page.getByRole('heading', { name: 'Overview' }));
    await until(page, `document.activeElement?.id === 'page-title'`);

    // The first stop of a page that was just loaded leads past the menu.
    await page.reload();
    await seen(page.getByRole('heading', { name: 'Overview' }));
    await page.keyboard.press('Tab');
    expect(await focusedName(page)).to.equal('Skip to content');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    expect(await page.evaluate(`document.activeElement.closest('main') !== null`), await focusedName(page)).to.equal(true);

    // Where text is typed or an option looked up, letters are theirs; on a button they are the page's.
    await tabTo(page, /Last 7 days/);
    await page.keyboard.press('g');
    await page.keyboard.press('k');
    await seen(page.getByRole('heading', { name: 'API keys', level: 1 }));
    await until(page, `document.activeElement?.id === 'page-title'`);
    expect(await page.title()).to.equal('API keys · Oblivious');

    await page.keyboard.press('c');
    await seen(page.getByRole('dialog', { name: 'Create API key' }));
    await until(page, `document.activeElement?.tagName === 'INPUT'`);
    expect(await focusedName(page)).to.equal('Name');
    await page.keyboard.type('by-keyboard');
    await page.keyboard.press('Enter');
    await seen(page.getByRole('dialog', { name: 'Your new key' }));
    await tabTo(page, /I stored it/);
    await page.keyboard.press('Space');
    await tabTo(page, /^Done$/);
    await page.keyboard.press('Enter');
    await gone(page.getByRole('dialog'));

    // Letters typed into a field are letters.
    await page.keyboard.press('/');
    expect(await focusedName(page)).to.equal('Filter by name or prefix');
    await page.keyboard.type('by-key');
    await page.waitForURL((url) => url.searchParams.get('q') === 'by-key');
    await seen(page.getByRole('link', { name: 'by-keyboard' }));
    await page.evaluate('document.activeElement.blur()');
    await page.keyboard.press('j');
    const sheet = page.getByRole('dialog', { name: 'by-keyboard' });
    await seen(sheet);
    await page.keyboard.press('Escape');
    await gone(sheet);

    await tabTo(page, /^Actions for by-keyboard$/);
    await page.keyboard.press('Enter');
    await seen(page.getByRole('menuitem', { name: 'Disable key' }));
    await until(page, `document.activeElement?.role === 'menuitem'`);
    expect(await focusedName(page)).to.equal('Open details');
    await page.keyboard.press('ArrowDown');
    expect(await focusedName(page)).to.equal('Disable key');
    await page.keyboard.press('Enter');
    await seen(page.getByText('Key by-keyboard disabled'));

    await page.keyboard.press('Control+k');
    await seen(page.getByRole('dialog', { name: 'Commands' }));
    await page.keyboard.type('ledg');
    await page.keyboard.press('Enter');
    await seen(page.getByRole('heading', { name: 'Ledger', level: 1 }));

    await page.evaluate('document.activeElement.blur()');
    await page.keyboard.press('?');
    await seen(page.getByRole('dialog', { name: 'Keyboard shortcuts' }));
    await page.getByRole('switch', { name: 'Single-key shortcuts' }).press('Space');
    await page.keyboard.press('Escape');
    await gone(page.getByRole('dialog'));
    await page.keyboard.press('g');
    await page.keyboard.press('k');
    expect(new URL(page.url()).pathname).to.equal('/ledger');
  });

  it('jumps to what an id names', async () => {
    const page = await browser.page();
    await server.signIn(page, '/keys');
    const row = page.locator('[data-row]').filter({ hasText: 'First key' });
    const id = await row.getAttribute('data-row');
    expect(id).to.match(/^key_/);
    await page.goto(`${server.url}/`);
    await seen(page.getByRole('heading', { name: 'Overview' }));
    await page.keyboard.press('Control+k');
    await page.keyboard.type(id!);
    await page.getByRole('option', { name: `Open ${id!}` }).click();
    await seen(page.getByRole('dialog', { name: 'First key' }));
  });

  it('loses nothing that is typed or pasted before the palette has loaded, and takes none of it for a shortcut', async () => {
    const page = await browser.page({ permissions: ['clipboard-read', 'clipboard-write'] });
    let load = (): void => undefined;
    const loading = new Promise<void>((resolve) => (load = resolve));
    await page.route('**/assets/CommandPalette-*.js', async (route) => {
      await loading;
      await route.continue();
    });
    await server.signIn(page);
    await page.evaluate(`navigator.clipboard.writeText('dger')`);
    const asked = page.waitForRequest(/CommandPalette/);
    await page.keyboard.press('Control+k');
    await asked;
    // On the page these would go to the keys and open the list of shortcuts.
    await page.keyboard.type('gk?');
    for (let letter = 0; letter < 3; letter += 1) await page.keyboard.press('Backspace');
    await page.keyboard.type('le');
    await page.keyboard.press('Control+v');
    load();
    await seen(page.getByRole('dialog', { name: 'Commands' }));
    expect(await page.getByRole('textbox', { name: 'Commands' }).inputValue()).to.equal('ledger');
    expect(await page.getByRole('option').allTextContents()).to.have.length(1);
    expect(new URL(page.url()).pathname).to.equal('/');
    await until(page, `document.activeElement?.closest('[data-palette]') !== null`);
    await page.keyboard.press('Enter');
    await seen(page.getByRole('heading', { name: 'Ledger', level: 1 }));
    expect(await page.getByRole('dialog').count()).to.equal(0);
  });

  it('draws the spend chart, walks its bars by keyboard, and isolates by the legend', async () => {
    const page = await browser.page();
    await server.signIn(page, '/?period=24h');
    const chart = page.getByRole('img', { name: /^Spend of \$/ });
    await seen(chart.locator('canvas'));
    await chart.focus();
    await page.keyboard.press('ArrowLeft');
    const told = page.getByRole('status').filter({ hasText: /sandbox-story|Nothing was spent/ });
    await seen(told);
    // An hour may have begun since the calls were made.
    if ((await told.first().textContent())?.includes('Nothing was spent') === true) await page.keyboard.press('ArrowLeft');
    await seen(page.getByRole('status').filter({ hasText: 'sandbox-story' }));
    await page.keyboard.press('ArrowLeft');
    await seen(page.getByText('Nothing was spent.'));
    const legend = page.getByRole('group', { name: 'What the bars are made of' });
    await legend.getByRole('button', { name: 'sandbox-story' }).click();
    expect(await legend.getByRole('button', { name: 'sandbox-echo' }).getAttribute('aria-pressed')).to.equal('false');
    const painted: string = await page.evaluate(`document.querySelector('canvas').toDataURL()`);
    await page.emulateMedia({ colorScheme: 'dark' });
    await until(page, `document.querySelector('canvas').toDataURL() !== ${JSON.stringify(painted)}`);
  });
});
