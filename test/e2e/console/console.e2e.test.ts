import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { startFakeUpstream, type FakeUpstream } from '../../support/fake-upstream/server.ts';
import { gone, openBrowser, seen, until, type WatchedBrowser } from './support/browser.ts';
import { startConsoleServer, type ConsoleServer } from './support/console-server.ts';

const answered = async (work: Promise<unknown>): Promise<number> => {
  try {
    await work;
    return 200;
  } catch (error) {
    return (error as { status?: number }).status ?? 0;
  }
};

describe('the console', function () {
  this.timeout(120_000);
  let server: ConsoleServer;
  let browser: WatchedBrowser;
  let upstream: FakeUpstream;

  const asAdmin = async (path = '/'): Promise<Page> => {
    const page = await browser.page({ acceptDownloads: true });
    await server.signIn(page, path);
    return page;
  };
  const call = (apiKey?: string, model = 'sandbox-echo'): Promise<unknown> =>
    server.client(apiKey).chat.completions.create({ model, messages: [{ role: 'user', content: 'Say something.' }], max_tokens: 40 });
  const dialog = (page: Page) => page.getByRole('dialog');

  /** Makes a key through the console and returns it. */
  const createKey = async (page: Page, name: string): Promise<string> => {
    await page.goto(`${server.url}/keys`);
    await page.getByRole('button', { name: 'Create key' }).first().click();
    await dialog(page).getByLabel('Name').fill(name);
    await dialog(page).getByRole('button', { name: 'Create key' }).click();
    const secret = await dialog(page).getByLabel('API key').inputValue();
    await dialog(page).getByLabel('I stored it in a safe place').check();
    await dialog(page).getByRole('button', { name: 'Done' }).click();
    await gone(dialog(page));
    return secret;
  };

  before(async function () {
    this.timeout(180_000);
    [server, browser, upstream] = await Promise.all([startConsoleServer(), openBrowser(), startFakeUpstream()]);
  });
  after(async () => {
    await browser.close();
    await Promise.all([server.stop(), upstream.close()]);
  });
  afterEach(async () => {
    await browser.closePages();
    expect(browser.complaints(), 'the browser has nothing to complain about').to.deep.equal([]);
  });

  describe('signing in', () => {
    it('is asked for, remembers where somebody wanted to go, and ends', async () => {
      const page = await browser.page();
      await page.goto(`${server.url}/ledger?period=7d`);
      await seen(page.getByRole('heading', { name: 'Sign in' }));
      await page.getByLabel('E-mail address').fill(server.adminEmail);
      await page.getByLabel('Password', { exact: true }).fill(server.adminPassword);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await seen(page.getByRole('heading', { name: 'Ledger', level: 1 }));
      expect(new URL(page.url()).search).to.equal('?period=7d');

      await page.getByRole('button', { name: /Account menu/ }).click();
      await page.getByRole('menuitem', { name: 'Sign out' }).click();
      await seen(page.getByRole('heading', { name: 'Sign in' }));
      await page.goto(`${server.url}/keys`);
      await seen(page.getByRole('heading', { name: 'Sign in' }));
    });

    it('says what is missing and what is wrong, and counts down when it was tried too often', async () => {
      const page = await browser.page();
      await page.goto(`${server.url}/sign-in`);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await seen(page.getByText('This is needed.'));
      await page.getByLabel('E-mail address').fill('somebody@example.com');
      await page.getByLabel('Password', { exact: true }).fill('wrong');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await seen(page.getByRole('alert').getByText('The e-mail address or the password is wrong.'));
      const countdown = page.getByText(/You can try again in \d+ seconds?/);
      // The first waits are of a second, so one may be over before it is looked for; the next is twice as long.
      for (let tries = 0, counting = false; !counting; tries += 1) {
        expect(tries, 'the server slows guessing down').to.be.below(12);
        const [response] = await Promise.all([
          page.waitForResponse((answer) => answer.request().method() === 'POST'),
          page.getByRole('button', { name: 'Sign in' }).click(),
        ]);
        if (response.status() !== 429) continue;
        counting = await countdown.waitFor({ timeout: 1_000 }).then(
          () => true,
          () => false,
        );
      }
      await gone(countdown);
      await seen(page.locator('button[type=submit]:enabled'));
    });

    it('does not lead out of the console', async () => {
      const page = await browser.page();
      await server.signIn(page, '/sign-in?next=//evil.example/', { email: server.adminEmail, password: server.adminPassword });
      expect(new URL(page.url()).origin).to.equal(server.url);
    });
  });

  describe('the first minutes', () => {
    it('lead from nothing to a charge by three steps, with a sample that works as it is', async () => {
      const page = await asAdmin();
      const steps = page.getByRole('region', { name: 'From here to the first charge' });
      await seen(steps);
      await steps.getByRole('listitem').first().getByText('done').waitFor({ state: 'attached' });
      expect(await steps.locator('pre').textContent()).to.include(`curl ${server.url}/v1/chat/completions`);
      await call();
      await page.reload();
      await seen(page.getByRole('heading', { name: 'Spend per day' }));
      await gone(steps);
      const figures = page.locator('main dl').first();
      await seen(figures.getByText('100% succeeded'));
      await page.getByRole('button', { name: 'View as table' }).click();
      await seen(page.getByRole('columnheader', { name: 'sandbox-echo' }));
      await page.getByRole('link', { name: 'sandbox-echo' }).click();
      await seen(page.getByRole('heading', { name: 'Requests', level: 1 }));
      expect(new URL(page.url()).searchParams.get('model')).to.equal('sandbox-echo');
    });
  });

  describe('API keys', () => {
    it('are shown once, work, stop when they are revoked, and work again when that is taken back', async () => {
      const page = await asAdmin('/keys');
      await page.getByRole('button', { name: 'Create key' }).click();
      await dialog(page).getByRole('button', { name: 'Create key' }).click();
      await seen(dialog(page).getByText('Give the key a name.'));
      await dialog(page).getByLabel('Name').fill('made-by-hand');
      await dialog(page).getByLabel('Per month').fill('12.50');
      await dialog(page).getByRole('button', { name: 'Create key' }).click();
      const secret = await dialog(page).getByLabel('API key').inputValue();
      expect(secret).to.match(/^sk-/);

      // What is shown once does not go away by a slip.
      expect(await dialog(page).getByRole('button', { name: 'Done' }).isDisabled()).to.equal(true);
      await page.keyboard.press('Escape');
      await page.mouse.click(5, 5);
      await seen(dialog(page).getByLabel('API key'));
      await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
      await dialog(page).getByRole('button', { name: 'Copy key' }).click();
      await seen(dialog(page).getByText('Copied'));
      expect(await page.evaluate('navigator.clipboard.readText()')).to.equal(secret);
      await dialog(page).getByLabel('I stored it in a safe place').check();
      await dialog(page).getByRole('button', { name: 'Done' }).click();
      await gone(dialog(page));
      expect(await page.content()).not.to.include(secret);

      const row = page.getByRole('row', { name: /made-by-hand/ });
      await seen(row);
      expect(await row.textContent()).to.include('$12.50');
      expect(await answered(call(secret))).to.equal(200);

      await row.getByRole('button', { name: 'Actions for made-by-hand' }).click();
      await page.getByRole('menuitem', { name: 'Revoke key' }).click();
      const revoke = dialog(page).getByRole('button', { name: 'Revoke key' });
      expect(await revoke.isDisabled()).to.equal(true);
      await dialog(page).getByLabel('Type made-by-hand to confirm').fill('made-by-hand');
      await revoke.click();
      await seen(page.getByText('Key made-by-hand revoked'));
      await gone(row);
      await expectSoon(() => answered(call(secret)), 401);

      await page.getByRole('button', { name: 'Undo' }).click();
      await seen(page.getByText('Key made-by-hand works again'));
      await seen(row);
      await expectSoon(() => answered(call(secret)), 200);
    });

    it('can be restricted, capped, renamed, disabled and enabled', async () => {
      const page = await asAdmin('/keys');
      const secret = await createKey(page, 'to-be-changed');
      await page.getByRole('link', { name: 'to-be-changed' }).click();
      const sheet = page.getByRole('dialog', { name: 'to-be-changed' });
      await sheet.getByRole('button', { name: 'Edit key' }).click();
      const form = page.getByRole('dialog', { name: 'Edit to-be-changed' });
      await form.getByLabel('Name').fill('changed');
      await form.getByLabel('Per day').fill('a lot');
      await form.getByRole('switch', { name: 'Only some models' }).click();
      await form.getByRole('button', { name: 'Save changes' }).click();
      await seen(form.getByText('Write dollars, such as 25 or 0.50.'));
      await seen(form.getByText('Name at least one model.'));
      await form.getByLabel('Per day').fill('3');
      await form.getByLabel('Models', { exact: true }).fill('sandbox-story\nsandbox-embedding');
      await form.getByRole('button', { name: 'Save changes' }).click();
      await gone(form);
      const changed = page.getByRole('dialog', { name: 'changed', exact: true });
      await seen(changed.getByText('sandbox-story', { exact: true }));
      await seen(changed.getByText('$3.00'));
      await expectSoon(() => answered(call(secret)), 403);
      await expectSoon(() => answered(call(secret, 'sandbox-story')), 200);

      await changed.getByRole('button', { name: 'Disable key' }).click();
      await seen(changed.getByText('Disabled', { exact: true }));
      await expectSoon(() => answered(call(secret, 'sandbox-story')), 401);
      await changed.getByRole('button', { name: 'Enable key' }).click();
      await seen(changed.getByText('Active', { exact: true }));
      await expectSoon(() => answered(call(secret, 'sandbox-story')), 200);
      await page.keyboard.press('Escape');
      await gone(changed);
      expect(new URL(page.url()).searchParams.has('peek')).to.equal(false);
    });
  });

  describe('channels', () => {
    it('are added, tested with what came of it, turned off and on, and removed', async () => {
      const page = await asAdmin('/channels');
      await page.getByRole('button', { name: 'Add channel' }).click();
      const form = page.getByRole('dialog', { name: 'Add channel' });
      await form.getByRole('button', { name: 'Add channel' }).click();
      await seen(form.getByText('Give the channel a name.'));
      await form.getByLabel('Name').fill('Local upstream');
      await form.getByLabel('Base URL').fill(upstream.baseUrl);
      await form.getByLabel('Upstream keys').fill('sk-of-the-upstream-1234');
      await form.getByLabel('Models').fill('gpt-4o = fake-model');
      await form.getByRole('button', { name: 'Add channel' }).click();
      const sheet = page.getByRole('dialog', { name: 'Local upstream' });
      await seen(sheet.getByText('fake-model'));
      expect(await page.content()).not.to.include('sk-of-the-upstream');

      await sheet.getByRole('button', { name: 'Test channel' }).click();
      await seen(sheet.getByText(/gpt-4o answered in/));
      expect(upstream.calls.at(-1)).to.have.nested.property('model', 'fake-model');

      await sheet.getByLabel('New upstream key').fill('sk-second-5678');
      await sheet.getByRole('button', { name: 'Add key' }).click();
      await seen(sheet.getByText('5678'));
      await sheet.getByRole('button', { name: 'Disable the key …5678' }).click();
      await seen(sheet.getByText('Off', { exact: true }));

      await sheet.getByRole('button', { name: 'Disable channel' }).click();
      await seen(sheet.getByText('Disabled', { exact: true }));
      await sheet.getByRole('button', { name: 'Enable channel' }).click();
      await seen(sheet.getByRole('button', { name: 'Disable channel' }));

      await sheet.getByRole('button', { name: 'Remove channel' }).click();
      const confirm = page.getByRole('dialog', { name: 'Remove Local upstream?' });
      await confirm.getByLabel('Type Local upstream to confirm').fill('Local upstream');
      await confirm.getByRole('button', { name: 'Remove channel' }).click();
      await gone(page.getByRole('row', { name: /Local upstream/ }));
      await seen(page.getByRole('row', { name: /Sandbox/ }));
    });

    it('that do not answer say so', async () => {
      const page = await asAdmin('/channels?new=1');
      const form = page.getByRole('dialog', { name: 'Add channel' });
      await form.getByLabel('Name').fill('Dead end');
      // Nothing listens on the discard port of this machine.
      await form.getByLabel('Base URL').fill('http://127.0.0.1:9/v1');
      await form.getByLabel('Models').fill('gpt-4o-mini');
      await form.getByRole('button', { name: 'Add channel' }).click();
      const sheet = page.getByRole('dialog', { name: 'Dead end' });
      await sheet.getByRole('button', { name: 'Test channel' }).click();
      await seen(sheet.getByText(/gpt-4o-mini did not answer/));
      await seen(page.getByText('Dead end did not answer with gpt-4o-mini'));
    });
  });

  describe('requests and the ledger', () => {
    it('show a call with its attempts, explain its charge, and lead from one to the other', async () => {
      await call(undefined, 'sandbox-story');
      const page = await asAdmin('/requests?model=sandbox-story');
      const first = page.getByRole('row', { name: /sandbox-story/ }).first();
      await seen(first.getByText('200 OK'));
      await first.getByRole('link').click();
      const request = page.getByRole('dialog', { name: 'Request' });
      await seen(request.getByText('answered'));
      await seen(request.getByText('QuotaDebited'));
      await request.getByRole('link', { name: 'How it was computed' }).click();

      const charge = page.getByRole('dialog', { name: 'Charge' });
      await seen(charge.getByText('Recomputed just now from the recorded usage and prices: the amount is right.'));
      const figures = (await charge.locator('tbody tr').allTextContents()).join(' ');
      expect(figures).to.include('Input tokens').and.to.include('Output tokens').and.to.include('/ 1M');
      const paid = await charge.getByText('Rounded up once').locator('xpath=ancestor::tr').locator('td').textContent();
      expect(await charge.locator('p').first().textContent()).to.equal(paid?.trim());
      await charge.getByRole('link', { name: 'Open the request' }).click();
      await seen(page.getByRole('dialog', { name: 'Request' }));
    });

    it('balance: the statement ends in what is left, and debits equal credits', async () => {
      await call();
      const page = await asAdmin('/ledger');
      await seen(page.getByRole('row', { name: /Trial credit/ }));
      const rows = await page.locator('[data-row] td:last-child').allTextContents();
      const changes = await page.locator('[data-row] td:nth-last-child(2)').allTextContents();
      const nano = (text: string): bigint => {
        const [, sign, whole, fraction] = /^([−+]?)\$([\d,]+)\.(\d+)/.exec(text.trim()) ?? [];
        const size = BigInt(whole!.replaceAll(',', '')) * 1_000_000_000n + BigInt(fraction!.padEnd(9, '0'));
        return sign === '−' ? -size : size;
      };
      // Newest first: each balance is the one below it plus its own change.
      for (let index = 0; index + 1 < rows.length; index += 1)
        expect(nano(rows[index]!), `row ${index}`).to.equal(nano(rows[index + 1]!) + nano(changes[index]!));
      await seen(page.getByText('Debits equal credits'));

      const download = page.waitForEvent('download');
      await page.getByRole('link', { name: 'Export CSV' }).click();
      const csv = await readFile(await (await download).path(), 'utf8');
      expect(csv.trim().split('\n').length).to.be.at.least(rows.length + 1);
      await page.getByRole('tab', { name: 'Every entry' }).click();
      await seen(page.getByRole('row', { name: /Hold/ }));
      await page.getByLabel('Kind of entry').selectOption('hold');
      await seen(page.getByRole('row', { name: /Hold/ }));
      expect(new URL(page.url()).searchParams.get('kind')).to.equal('hold');
    });

    it('give a charge back', async () => {
      await call(undefined, 'sandbox-story');
      const page = await asAdmin('/ledger');
      await page.getByRole('link', { name: 'Charge' }).first().click();
      const charge = page.getByRole('dialog', { name: 'Charge' });
      await charge.getByRole('button', { name: 'Refund charge' }).click();
      const form = page.getByRole('dialog', { name: 'Refund this charge' });
      await form.getByLabel('Amount in dollars').fill('100');
      await form.getByLabel('Reason').fill('A test');
      await form.getByRole('button', { name: 'Refund charge' }).click();
      await seen(form.getByText(/is left to refund/));
      const most = /At most \$([\d.]+)\./.exec((await form.textContent()) ?? '')?.[1];
      await form.getByLabel('Amount in dollars').fill(most!);
      await form.getByRole('button', { name: 'Refund charge' }).click();
      await gone(form);
      await seen(charge.getByText('Refunded', { exact: true }));
      expect(await charge.getByRole('button', { name: 'Refund charge' }).count()).to.equal(0);
      await page.keyboard.press('Escape');
      await seen(page.getByRole('row', { name: /Refund/ }));
    });

    it('keep filters in the URL, tell when nothing matches, and follow what comes in', async () => {
      const page = await asAdmin('/requests');
      await seen(page.getByRole('row', { name: /200 OK/ }));
      await page.getByLabel('Result', { exact: true }).selectOption('failed');
      await seen(page.getByText('Nothing matches these filters.'));
      expect(new URL(page.url()).searchParams.get('result')).to.equal('failed');
      await page.goBack();
      await seen(page.getByRole('row', { name: /200 OK/ }));
      await page.getByRole('searchbox', { name: 'Model' }).fill('sandbox-reasoning');
      await seen(page.getByText('Nothing matches these filters.'));
      await page.getByRole('main').getByRole('button', { name: 'Clear filters' }).last().click();
      await seen(page.getByRole('row', { name: /200 OK/ }));

      const before = await page.locator('[data-row]').count();
      const followed = page.waitForResponse((response) => response.url().includes('/requests/live'));
      await page.getByRole('button', { name: 'Live', exact: true }).click();
      await followed;
      await seen(page.locator('button[aria-pressed=true] .bg-ok'));
      await call();
      const pill = page.getByRole('button', { name: /new requests?$/ });
      await seen(pill);
      expect(await page.locator('[data-row]').count(), 'nothing moves by itself').to.equal(before);
      await pill.click();
      await until(page, `document.querySelectorAll('[data-row]').length > ${before}`);
      expect(await page.locator('[data-row]').first().textContent()).to.include('sandbox-echo');
    });
  });

  describe('people', () => {
    it('are created, get credit, see only what is theirs, and are suspended', async () => {
      const admin = await asAdmin('/users');
      await admin.getByRole('button', { name: 'Create user' }).click();
      const form = admin.getByRole('dialog', { name: 'Create user' });
      await form.getByLabel('E-mail address').fill('mei@example.com');
      await form.getByLabel('Name', { exact: true }).fill('Mei Lin');
      await form.getByRole('button', { name: 'Create user' }).click();
      const reveal = admin.getByRole('dialog', { name: 'Password of Mei Lin' });
      const password = await reveal.getByLabel('Password', { exact: true }).inputValue();
      await reveal.getByLabel('I have handed it over or stored it').check();
      await reveal.getByRole('button', { name: 'Done' }).click();

      await admin.getByRole('link', { name: 'Mei Lin' }).click();
      const sheet = admin.getByRole('dialog', { name: 'Mei Lin', exact: true });
      await sheet.getByRole('button', { name: 'Grant credit' }).click();
      const grant = admin.getByRole('dialog', { name: 'Grant credit to Mei Lin' });
      await grant.getByLabel('Amount in dollars').fill('2.5');
      await grant.getByLabel('Reason').fill('To try things out');
      // The grant is made, but its answer is lost: whoever asks again with the same words gives no more.
      await admin.route(
        '**/api/users/*/credit',
        async (route) => {
          await route.fetch();
          await route.abort();
        },
        { times: 1 },
      );
      await grant.getByRole('button', { name: 'Grant credit' }).click();
      await seen(grant.getByRole('alert'));
      await grant.getByRole('button', { name: 'Grant credit' }).click();
      await gone(grant);
      await seen(sheet.getByText('$2.50').first());

      const mei = await browser.page();
      await server.signIn(mei, '/', { email: 'mei@example.com', password });
      await seen(mei.getByText('$2.50').first());
      expect(await mei.getByRole('link', { name: 'Channels' }).count()).to.equal(0);
      const secret = await createKey(mei, 'mei-key');
      expect(await answered(call(secret))).to.equal(200);
      await mei.goto(`${server.url}/channels`);
      await seen(mei.getByText('This needs an administrator.'));
      await mei.goto(`${server.url}/ledger`);
      await seen(mei.getByRole('row', { name: /To try things out/ }));
      expect(await mei.getByText('Trial balance').count()).to.equal(0);

      await sheet.getByRole('button', { name: 'Suspend user' }).click();
      await admin.getByRole('dialog', { name: 'Suspend Mei Lin?' }).getByRole('button', { name: 'Suspend user' }).click();
      await seen(sheet.getByText('Suspended', { exact: true }));
      await expectSoon(() => answered(call(secret)), 403);
      await mei.goto(`${server.url}/keys`);
      await seen(mei.getByRole('heading', { name: 'Sign in' }));
      await sheet.getByRole('button', { name: 'Reinstate user' }).click();
      await expectSoon(() => answered(call(secret)), 200);
    });

    it('change their profile and their password', async () => {
      const admin = await asAdmin('/users?new=1');
      const form = admin.getByRole('dialog', { name: 'Create user' });
      await form.getByLabel('E-mail address').fill('sam@example.com');
      await form.getByLabel('Name', { exact: true }).fill('Sam');
      await form.getByRole('button', { name: 'Create user' }).click();
      const password = await admin.getByRole('dialog', { name: 'Password of Sam' }).getByLabel('Password', { exact: true }).inputValue();

      const sam = await browser.page();
      await server.signIn(sam, '/account', { email: 'sam@example.com', password });
      await sam.getByLabel('Name', { exact: true }).fill('Samira');
      await sam.getByRole('button', { name: 'Save changes' }).click();
      await seen(sam.getByText('Profile saved'));
      await seen(sam.getByRole('button', { name: /Account menu.*Samira/ }));
      await sam.getByLabel('Current password').fill('not this one');
      await sam.getByLabel('New password').fill('three unrelated words');
      await sam.getByRole('button', { name: 'Change password' }).click();
      await seen(sam.getByText('This is not your current password.'));
      await sam.getByLabel('Current password').fill(password);
      await sam.getByRole('button', { name: 'Change password' }).click();
      await seen(sam.getByText('Password changed'));

      const again = await browser.page();
      await server.signIn(again, '/', { email: 'sam@example.com', password: 'three unrelated words' });
      await seen(again.getByRole('heading', { name: 'Overview' }));
    });
  });

  describe('limits', () => {
    it('are rules that hold, and that two people can change at once', async () => {
      const page = await asAdmin('/limits');
      await page.getByRole('main').getByRole('button', { name: 'Create rule' }).last().click();
      const form = page.getByRole('dialog', { name: 'Create a rule of limits' });
      await form.getByRole('button', { name: 'Create rule' }).click();
      await seen(form.getByText('Give the rule a name.'));
      await form.getByLabel('Name').fill('No stories');
      await form.getByLabel('Amount').fill('1');
      await form.getByLabel('In how long').selectOption('month');
      await form.getByLabel('Models').fill('sandbox-st*');
      await form.getByLabel('What the client reads').fill('One story a month is enough.');
      await seen(form.getByText('1 request a month for each user'));
      await form.getByRole('button', { name: 'Create rule' }).click();
      await gone(form);
      await seen(page.getByRole('row', { name: /No stories.*1 request a month for each user.*Only model sandbox-st\*/ }));
      await answered(call(undefined, 'sandbox-story'));
      await expectSoon(() => answered(call(undefined, 'sandbox-story')), 429);

      await page.getByRole('link', { name: 'No stories' }).click();
      const edit = page.getByRole('dialog', { name: 'Edit No stories' });
      await edit.getByLabel('Amount').fill('1000');
      const other = await asAdmin('/limits');
      await other.getByRole('button', { name: 'Actions for No stories' }).click();
      await other.getByRole('menuitem', { name: 'Switch off' }).click();
      await seen(other.getByText('Rule No stories is off'));
      await edit.getByRole('button', { name: 'Save changes' }).click();
      await seen(edit.getByText(/Somebody else changed this rule while you had it open\./));
      await edit.getByRole('button', { name: 'Save mine instead' }).click();
      await gone(edit);
      await seen(page.getByRole('row', { name: /1,000 requests a month for each user/ }));
      await expectSoon(() => answered(call(undefined, 'sandbox-story')), 200);

      await page.getByRole('button', { name: 'Actions for No stories' }).click();
      await page.getByRole('menuitem', { name: 'Delete rule' }).click();
      await page.getByRole('dialog', { name: 'Delete No stories?' }).getByRole('button', { name: 'Delete rule' }).click();
      await seen(page.getByText('No rule of limits yet.'));
    });
  });

  describe('routing', () => {
    it('follows rules that are made here, and says why a channel is passed over', async () => {
      const page = await asAdmin('/routing');
      await page.getByRole('main').getByRole('button', { name: 'Create rule' }).last().click();
      const form = page.getByRole('dialog', { name: 'Create a rule of routing' });
      await form.getByLabel('Models').fill('sandbox-*-*-*');
      await form.getByRole('button', { name: 'Create rule' }).click();
      await seen(form.getByText('A name has at most one star.'));
      await form.getByLabel('Models').fill('sandbox-*');
      await form.getByLabel('How calls are spread').selectOption('lowest_latency');
      await form.getByRole('button', { name: 'Create rule' }).click();
      await gone(form);
      await seen(page.getByRole('row', { name: /sandbox-\*.*Lowest latency/ }));

      await page.getByLabel('Model', { exact: true }).fill('sandbox-echo');
      await page.getByRole('button', { name: 'Draw' }).click();
      await seen(page.getByText('Spread: Lowest latency.'));
      await seen(page.getByText('Takes calls'));

      await page.getByRole('link', { name: 'sandbox-*' }).click();
      const edit = page.getByRole('dialog', { name: 'Edit rule of routing' });
      await edit.getByLabel(/Ask a second channel/).fill('2000');
      const other = await asAdmin('/routing');
      await other.getByRole('button', { name: 'Actions for rule 1' }).click();
      await other.getByRole('menuitem', { name: 'Delete rule' }).click();
      await other.getByRole('dialog', { name: 'Delete this rule?' }).getByRole('button', { name: 'Delete rule' }).click();
      await seen(other.getByText('No rule of routing yet.'));
      await edit.getByRole('button', { name: 'Save changes' }).click();
      await seen(edit.getByText(/Somebody else changed or deleted this rule/));
      await edit.getByRole('button', { name: 'Leave it as they have it' }).click();
      await seen(page.getByText('No rule of routing yet.'));
    });
  });

  /** Polls: a key's state reaches every process within a second, not at once. */
  const expectSoon = async <Value>(read: () => Promise<Value>, wanted: Value): Promise<void> => {
    const deadline = Date.now() + 5_000;
    let last = await read();
    while (last !== wanted && Date.now() < deadline) last = await read();
    expect(last).to.equal(wanted);
  };
});
