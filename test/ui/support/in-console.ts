import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { openBrowser, type WatchedBrowser } from '../../e2e/console/support/browser.ts';
import { builtConsole } from '../../e2e/console/support/built-console.ts';
import { startFakeConsole, type FakeConsole } from './fake-console-api.ts';

/** Gives each test of a suite a page of its own; a test of which the browser complains fails. */
export const inConsole = (begin: (place: { readonly fake: FakeConsole; readonly page: Page }) => void): void => {
  let fake: FakeConsole;
  let browser: WatchedBrowser;
  let page: Page;
  before(async function () {
    this.timeout(180_000);
    fake = await startFakeConsole(await builtConsole());
    browser = await openBrowser();
  });
  after(async () => {
    await browser.close();
    await fake.close();
  });
  beforeEach(async () => {
    fake.reset();
    page = await browser.page();
    begin({ fake, page });
  });
  afterEach(async () => {
    await page.context().close();
    expect(browser.complaints(), 'the browser has nothing to complain about').to.deep.equal([]);
  });
};

/** A promise, and what settles it. */
export const held = (): { readonly until: Promise<void>; readonly release: () => void } => {
  let release = (): void => undefined;
  const waiting = new Promise<void>((resolve) => (release = resolve));
  return { until: waiting, release };
};
