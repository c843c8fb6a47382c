import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium, type Browser, type BrowserContextOptions, type Locator, type Page } from 'playwright-core';
import { chromiumPath } from '../../../support/chromium.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** For what a page has to do, on a machine that may be busy with other tests. */
const PATIENCE_MS = 20_000;

interface AxeResult {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly target: readonly string[]; readonly failureSummary: string }[];
  }[];
}

/** A browser whose every page is watched: what it complains about is kept. */
export interface WatchedBrowser {
  /** A page in a context of its own, with its own cookies and storage. */
  page(options?: BrowserContextOptions): Promise<Page>;
  /** Uncaught errors, console errors and refused resources since the last time this was asked. */
  complaints(): string[];
  /** Closes every page, so that none of them goes on asking the server while the next test runs. */
  closePages(): Promise<void>;
  close(): Promise<void>;
}

export const openBrowser = async (): Promise<WatchedBrowser> => {
  const browser: Browser = await chromium.launch({
    executablePath: chromiumPath(),
    args: ['--headless=new', '--no-sandbox', '--disable-gpu'],
  });
  let heard: string[] = [];
  return {
    page: async (options = {}) => {
      const context = await browser.newContext({
        locale: 'en',
        timezoneId: 'Europe/Berlin',
        viewport: { width: 1280, height: 800 },
        reducedMotion: 'reduce',
        ...options,
      });
      context.setDefaultTimeout(PATIENCE_MS);
      const page = await context.newPage();
      page.on('pageerror', (error) => heard.push(`uncaught: ${error.message}`));
      page.on('console', (message) => {
        // The browser itself reports every answer above 399 this way; which of those are meant is for the test to say.
        if (['error', 'warning'].includes(message.type()) && !message.text().startsWith('Failed to load resource'))
          heard.push(`${message.type()}: ${message.text()}`);
      });
      page.on('request', (request) => {
        if (!/^(data|blob):/.test(request.url()) && new URL(request.url()).hostname !== '127.0.0.1')
          heard.push(`another origin: ${request.url()}`);
      });
      return page;
    },
    complaints: () => {
      const said = heard;
      heard = [];
      return said;
    },
    closePages: async () => {
      await Promise.all(browser.contexts().map((context) => context.close()));
    },
    close: () => browser.close(),
  };
};

/** Resolves once it can be seen. */
export const seen = (locator: Locator): Promise<void> => locator.first().waitFor({ state: 'visible' });
export const gone = (locator: Locator): Promise<void> => locator.first().waitFor({ state: 'hidden' });

/** Polls from outside: the policy of the console forbids a page to evaluate text, as Playwright's own way of waiting would have it do. */
export const until = async (page: Page, expression: string): Promise<void> => {
  const deadline = Date.now() + PATIENCE_MS;
  while ((await page.evaluate(expression)) !== true) {
    if (Date.now() > deadline) throw new Error(`never came true: ${expression}`);
    await page.evaluate('new Promise((resolve) => requestAnimationFrame(resolve))');
  }
};

/** What axe finds wrong with the page as it stands, one line each. */
export const axeFindings = async (page: Page): Promise<string[]> => {
  await page.evaluate(AXE);
  const result: AxeResult = await page.evaluate(`axe.run(document, ${JSON.stringify({ runOnly: RULES })})`);
  return result.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')} (${failureSummary.replace(/\s+/g, ' ')})`),
  );
};

/** By how many pixels the page can be scrolled sideways. */
export const sidewaysScroll = (page: Page): Promise<number> =>
  page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');

/** Name of the focused element as a screen reader would find it, roughly. What groups others is not named by what they say. */
export const focusedName = (page: Page): Promise<string> =>
  page.evaluate(`(() => {
    const element = document.activeElement;
    if (element === null || element === document.body) return '';
    const by = document.getElementById(element.getAttribute('aria-labelledby') ?? '');
    const own = element.matches('[role=dialog], main') ? '' : element.textContent;
    return (element.getAttribute('aria-label') ?? by?.textContent ?? element.labels?.[0]?.textContent ?? own).trim().replace(/\\s+/g, ' ');
  })()`);

/** Presses Tab until the focus is on what has this name. */
export const tabTo = async (page: Page, name: RegExp): Promise<void> => {
  for (let step = 0; step < 60; step += 1) {
    if (name.test(await focusedName(page))) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`no Tab leads to ${String(name)}; the focus is on "${await focusedName(page)}"`);
};
