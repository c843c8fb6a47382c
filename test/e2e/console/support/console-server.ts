import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI from 'openai';
import type { BrowserContext, Page } from 'playwright-core';
import { firstRunOf, startServerProcess, type ServerProcess } from '../../../support/server-process/server-process.ts';
import { builtConsole } from './built-console.ts';
import { seen } from './browser.ts';

/** A server of its own with a fresh data directory, the console built, and what its first start left. */
export interface ConsoleServer {
  readonly url: string;
  readonly adminEmail: string;
  readonly adminPassword: string;
  readonly apiKey: string;
  /** The official client, with the first key or another. */
  client(apiKey?: string): OpenAI;
  /** By the form, where it is said who; else as the administrator, by the form at first and by the same session from then on. */
  signIn(page: Page, path?: string, who?: { readonly email: string; readonly password: string }): Promise<void>;
  stop(): Promise<void>;
}

export const startConsoleServer = async (): Promise<ConsoleServer> => {
  await builtConsole();
  const folder = mkdtempSync(join(tmpdir(), 'oblivious-console-'));
  const server: ServerProcess = await startServerProcess({ home: join(folder, 'home') });
  const { adminEmail, adminPassword, apiKey } = await firstRunOf(server.home);
  let adminSession: Awaited<ReturnType<BrowserContext['cookies']>> | undefined;
  return {
    url: server.url,
    adminEmail,
    adminPassword,
    apiKey,
    client: (key = apiKey) => new OpenAI({ baseURL: `${server.url}/v1`, apiKey: key, maxRetries: 0 }),
    signIn: async (page, path = '/', who) => {
      if (who === undefined && adminSession !== undefined) {
        await page.context().addCookies(adminSession);
        await page.goto(`${server.url}${path}`);
      } else {
        await page.goto(`${server.url}${path}`);
        await page.locator('input[name=email]').fill(who?.email ?? adminEmail);
        await page.locator('input[name=password]').fill(who?.password ?? adminPassword);
        await page.locator('button[type=submit]').click();
        await page.waitForURL((url) => url.pathname !== '/sign-in');
      }
      await seen(page.locator('main h1#page-title'));
      if (who === undefined) adminSession = await page.context().cookies();
    },
    stop: async () => {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
};
