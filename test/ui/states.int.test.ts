import { expect } from 'chai';
import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { axeFindings, gone, seen, sidewaysScroll, until } from '../e2e/console/support/browser.ts';
import type { FakeConsole } from './support/fake-console-api.ts';
import { held, inConsole } from './support/in-console.ts';
import { LONG_NAME, sampleLimits, sampleRequests, sampleRouting } from './support/sample-data.ts';

/** Every room, the call that fills it, and how it speaks of its own failure. */
const ROOMS = [
  { path: '/keys', operation: 'GET /keys', failed: 'The keys could not be loaded.', empty: 'No API key yet.', action: 'Create key' },
  {
    path: '/requests',
    operation: 'GET /requests',
    failed: 'The requests could not be loaded.',
    empty: 'No request in this period.',
    action: 'Show the last 90 days',
  },
  {
    path: '/tasks',
    operation: 'GET /tasks',
    failed: 'The tasks could not be loaded.',
    empty: 'No task yet.',
    action: 'Show everyone’s tasks',
  },
  {
    path: '/ledger',
    operation: 'GET /ledger/journal',
    failed: 'The journal could not be loaded.',
    empty: 'Nothing was recorded in this period.',
    action: 'Create key',
  },
  {
    path: '/exports',
    operation: 'GET /exports',
    failed: 'The exports could not be loaded.',
    empty: 'No export yet.',
    action: 'Go to requests',
  },
  {
    path: '/channels',
    operation: 'GET /channels',
    failed: 'The channels could not be loaded.',
    empty: 'No channel yet.',
    action: 'Add channel',
  },
  { path: '/users', operation: 'GET /users', failed: 'The users could not be loaded.', empty: 'No user yet.', action: 'Create user' },
  {
    path: '/routing',
    operation: 'GET /routing/rules',
    failed: 'The rules of routing could not be loaded.',
    empty: 'No rule of routing yet.',
    action: 'Create rule',
    nothing: { rules: [], changedAt: null },
  },
  {
    path: '/limits',
    operation: 'GET /limits',
    failed: 'The limits could not be loaded.',
    empty: 'No rule of limits yet.',
    action: 'Create rule',
    nothing: { revision: -1, policy: { rules: [], whenStoreAway: 'perProcess' } },
  },
] as const;
const NOTHING = { rows: [], nextCursor: null };

describe('the states of the console', function () {
  this.timeout(60_000);
  let fake: FakeConsole;
  let page: Page;

  inConsole((place) => ({ fake, page } = place));

  for (const { path, operation, failed, empty, action, ...room } of ROOMS)
    describe(path, () => {
      it('shows the shape of what is coming', async () => {
        const slow = held();
        fake.answer(operation, { after: slow.until });
        await page.goto(fake.origin + path);
        await seen(page.locator('main .skeleton'));
        await page.getByText('Loading…').first().waitFor({ state: 'attached' });
        slow.release();
        await gone(page.locator('main .skeleton'));
        await seen(page.locator('[data-row]'));
      });

      it('says what failed and why, with the request id, and tries again', async () => {
        fake.answer(operation, { refused: 'log_unavailable', message: 'The disk is full.' });
        await page.goto(fake.origin + path);
        const alert = page.getByRole('alert').filter({ hasText: failed });
        await seen(alert);
        const words = await alert.textContent();
        expect(words)
          .to.include('The ledger cannot record at the moment')
          .and.to.include('The disk is full.')
          .and.to.include('req_fake0000000000000042');
        expect(await axeFindings(page)).to.deep.equal([]);
        fake.answer(operation, {});
        await alert.getByRole('button', { name: 'Retry' }).click();
        await seen(page.locator('[data-row]'));
      });

      it('says what will stand here and how it gets here', async () => {
        fake.answer(operation, { body: 'nothing' in room ? room.nothing : NOTHING });
        await page.goto(fake.origin + path);
        await seen(page.getByText(empty));
        await seen(
          page
            .getByRole('main')
            .getByRole('button', { name: action })
            .or(page.getByRole('main').getByRole('link', { name: action })),
        );
        expect(await axeFindings(page)).to.deep.equal([]);
      });

      it('refuses politely', async () => {
        fake.answer(operation, { refused: 'forbidden' });
        await page.goto(fake.origin + path);
        await seen(page.getByText('This needs an administrator.'));
        expect(await page.getByRole('main').getByRole('button', { name: 'Retry' }).count()).to.equal(0);
      });
    });

  it('keep what was loaded while newer is on its way, and when it does not come', async () => {
    await page.goto(`${fake.origin}/keys`);
    await seen(page.getByText('mobile-ios-1'));
    const slow = held();
    fake.answer('GET /keys', { after: slow.until, refused: 'internal' });
    await page.getByRole('tab', { name: 'All' }).click();
    await seen(page.locator('.bar-travel'));
    await seen(page.getByText('mobile-ios-1'));
    slow.release();
    await gone(page.locator('.bar-travel'));
  });

  it('keep old data with a word about it when a refresh fails', async () => {
    await page.goto(`${fake.origin}/channels`);
    await seen(page.getByText('OpenAI main'));
    fake.answer('GET /channels', { refused: 'read_model_behind' });
    await page.getByRole('button', { name: 'Test OpenAI main' }).click();
    await seen(page.getByRole('status').filter({ hasText: 'What you see is from before.' }));
    await seen(page.getByText('OpenAI main', { exact: true }));
  });

  it('say so when filters leave nothing, and offer to clear them', async () => {
    await page.goto(`${fake.origin}/channels?q=nothing-like-it`);
    await seen(page.getByText('Nothing matches these filters.'));
    await page.getByRole('button', { name: 'Clear filters' }).click();
    await seen(page.getByText('OpenAI main'));
    expect(new URL(page.url()).search).to.equal('');
  });

  it('say so when the server cannot be reached, and come back with it', async () => {
    fake.answer('GET /session', { refused: 'starting' });
    await page.goto(fake.origin);
    await seen(page.getByText('The console cannot reach the server.'));
    await seen(page.getByText('The server is starting; try again in a moment.'));
    fake.answer('GET /session', {});
    await page.getByRole('button', { name: 'Retry' }).click();
    await seen(page.getByRole('heading', { name: 'Overview' }));
  });

  it('ask to sign in again when the session has ended, and lead back', async () => {
    await page.goto(`${fake.origin}/keys?status=all`);
    await seen(page.getByText('mobile-ios-1'));
    fake.answer('GET /ledger/journal', { refused: 'not_signed_in' });
    fake.answer('GET /ledger/trial-balance', { refused: 'not_signed_in' });
    await page.getByRole('link', { name: 'Ledger' }).click();
    await seen(page.getByRole('heading', { name: 'Sign in' }));
    expect(new URL(page.url()).searchParams.get('next')).to.equal('/ledger');
  });

  it('count down while signing in is throttled', async () => {
    fake.answer('GET /session', { body: { signedIn: false } });
    fake.answer('POST /session', { refused: 'rate_limited', retryAfterSeconds: 3 });
    await page.goto(`${fake.origin}/sign-in`);
    await page.getByLabel('E-mail address').fill('a@example.com');
    await page.getByLabel('Password', { exact: true }).fill('wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await seen(page.getByText(/You can try again in 3 seconds\./));
    expect(await page.getByRole('button', { name: 'Sign in' }).isDisabled()).to.equal(true);
    await seen(page.getByText(/You can try again in 1 second\./));
    await seen(page.locator('button[type=submit]:enabled'));
  });

  it('tell what somebody else changed meanwhile, and look again', async () => {
    await page.goto(`${fake.origin}/keys?peek=key_000000000001`);
    const sheet = page.getByRole('dialog', { name: 'mobile-ios-1' });
    fake.answer('POST /keys/key_000000000001/disable', { refused: 'revision_mismatch' });
    await sheet.getByRole('button', { name: 'Disable key' }).click();
    await seen(page.getByText('The key is not disabled.'));
    await seen(page.getByText(/It has changed since you looked/));
    expect(fake.calls.filter(({ operation }) => operation === 'GET /keys/key_000000000001').length).to.be.at.least(2);
  });

  it('find a provider by typing, and fill in its address', async () => {
    await page.goto(`${fake.origin}/channels?new=1`);
    const form = page.getByRole('dialog', { name: 'Add channel' });
    const provider = form.getByLabel('Provider');
    const address = form.getByLabel('Base URL');
    await provider.fill('groq');
    await provider.blur();
    expect([await provider.inputValue(), await address.inputValue()]).to.deep.equal(['Groq', 'https://api.groq.com/openai/v1']);
    await provider.fill('nobody');
    await provider.blur();
    expect(await provider.inputValue()).to.equal('Groq');
    await provider.fill('Cloudflare Workers AI');
    await provider.blur();
    await form.getByRole('button', { name: 'Add channel' }).click();
    await seen(form.getByText('Put your own values where there are braces.'));
    await address.fill('https://proxy.example/v1');
    await provider.fill('openai');
    await provider.blur();
    expect(await address.inputValue()).to.equal('https://proxy.example/v1');
  });

  it('tell what an upstream has and what of it is not mapped, and map what is picked', async () => {
    const channel = 'chn_000000000001';
    await page.goto(`${fake.origin}/channels?peek=${channel}`);
    const sheet = page.getByRole('dialog', { name: 'OpenAI main' });
    fake.answer(`POST /channels/${channel}/discover`, {
      body: { position: '1', models: ['gpt-5.2', 'gpt-6', 'o9'], missing: ['gpt-6', 'o9'], gone: ['gpt-5.2-mini'] },
    });
    await sheet.getByRole('button', { name: 'Ask the upstream for its models' }).click();
    await sheet.getByLabel('gpt-6').check();
    await sheet.getByLabel('gpt-5.2-mini').check();
    expect(await axeFindings(page)).to.deep.equal([]);
    await sheet.getByRole('button', { name: 'Change the models' }).click();
    await gone(sheet.getByRole('button', { name: 'Change the models' }));
    expect(fake.calls.find(({ operation }) => operation === `POST /channels/${channel}/models`)?.body).to.deep.equal({
      add: ['gpt-6'],
      remove: ['gpt-5.2-mini'],
    });
  });

  it('put the server’s objection beside the field that it is about', async () => {
    await page.goto(`${fake.origin}/channels?new=1`);
    const form = page.getByRole('dialog', { name: 'Add channel' });
    await form.getByLabel('Name').fill('Inside');
    await form.getByLabel('Base URL').fill('http://10.0.0.1/v1');
    await form.getByLabel('Models').fill('m');
    fake.answer('POST /channels', {
      status: 400,
      body: { error: { code: 'address_blocked', message: 'This address is private.', param: 'settings.baseUrl', requestId: 'req_1' } },
    });
    await form.getByRole('button', { name: 'Add channel' }).click();
    await seen(form.getByText('This address is private.'));
    expect(await form.getByLabel('Base URL').getAttribute('aria-invalid')).to.equal('true');
  });

  it('say that somebody else changed the same rule, and let either be taken', async () => {
    const { policy, revision } = sampleLimits();
    const theirs = policy.rules.map((rule) => (rule.id === 'free-tokens' ? { ...rule, amount: 7_000 } : rule));
    for (const choice of ['Take theirs', 'Save mine instead']) {
      fake.reset();
      await page.goto(`${fake.origin}/limits?peek=free-tokens`);
      const form = page.getByRole('dialog', { name: 'Edit Free tier' });
      await form.getByLabel('Amount').fill('30000');
      fake.answer('GET /limits', { body: { revision: revision + 1, policy: { ...policy, rules: theirs } } });
      await form.getByRole('button', { name: 'Save changes' }).click();
      await seen(form.getByText('It now says: 7,000 tokens a minute for each user.'));
      expect(fake.calls.some(({ operation }) => operation === 'PUT /limits')).to.equal(false);
      expect(await axeFindings(page)).to.deep.equal([]);
      await form.getByRole('button', { name: choice }).click();
      if (choice === 'Take theirs')
        await until(page, `[...document.querySelectorAll('[role=dialog] input')].some((input) => input.value === '7000')`);
      else {
        await gone(form);
        const sent = fake.calls.find(({ operation }) => operation === 'PUT /limits')?.body as { rules: { amount: unknown }[] };
        expect(sent.rules.map(({ amount }) => amount)).to.deep.equal([30_000, '12500000000', 1]);
      }
    }
  });

  it('say where calls go and why not elsewhere, and keep a rule of routing that somebody else took away', async () => {
    await page.goto(`${fake.origin}/routing?peek=1`);
    const form = page.getByRole('dialog', { name: 'Edit rule of routing' });
    await form.getByLabel('How calls are spread').selectOption('lowest_cost');
    const { rules } = sampleRouting(Date.now());
    fake.answer('GET /routing/rules', { body: { rules: rules.slice(1), changedAt: null, revision: 3 } });
    await form.getByRole('button', { name: 'Save changes' }).click();
    await seen(form.getByText(/Somebody else changed or deleted this rule/));
    expect(await axeFindings(page)).to.deep.equal([]);
    await form.getByRole('button', { name: 'Add mine before all others' }).click();
    await gone(form);
    const sent = fake.calls.find(({ operation }) => operation === 'PUT /routing/rules')?.body;
    expect(sent).to.deep.equal({ rules: [{ ...rules[0], strategy: 'lowest_cost' }, ...rules.slice(1)] });

    await page.getByLabel('Model', { exact: true }).fill('gpt-5.2');
    await page.getByLabel('Kind of call').selectOption('embeddings');
    await page.getByRole('button', { name: 'Draw' }).click();
    await seen(page.getByText('Of the highest priority that can take it (10); sent as gpt-5.2-2026.'));
    await seen(page.getByText('Its priority is 5, and others have a higher one.'));
    expect(fake.calls.find(({ operation }) => operation === 'POST /routing/simulate')?.body).to.include({ endpoint: 'embeddings' });
    expect(await axeFindings(page)).to.deep.equal([]);
  });

  it('show their tables whole from 1024 pixels on', async function () {
    this.timeout(120_000);
    for (const width of [1024, 1280]) {
      await page.setViewportSize({ width, height: 800 });
      for (const { path } of ROOMS) {
        await page.goto(fake.origin + path);
        await seen(page.locator('[data-row]'));
        const cut = `[...document.querySelectorAll('main .overflow-x-auto')].map((element) => element.scrollWidth - element.clientWidth)`;
        expect(Math.max(0, ...(await page.evaluate<number[]>(cut))), `${path} at ${width}`).to.equal(0);
      }
    }
  });

  it('tell a Chinese reader in Chinese what the server objects to, and then what it said', async () => {
    await page.addInitScript(`localStorage.setItem('oblivious.locale', 'zh-CN')`);
    fake.answer('PUT /limits', {
      status: 409,
      body: { error: { code: 'already_exists', message: 'There is such a rule.', param: 'rules.0.name', requestId: 'req_1' } },
    });
    await page.goto(`${fake.origin}/limits?peek=free-tokens`);
    await page.getByRole('dialog').getByRole('button', { name: '保存更改' }).click();
    await seen(page.getByText('它已经存在。 There is such a rule.'));
  });

  it('keep what others changed beside a rule, and put the server’s objection beside its field', async () => {
    await page.goto(`${fake.origin}/limits?peek=free-tokens`);
    const form = page.getByRole('dialog', { name: 'Edit Free tier' });
    fake.answer('PUT /limits', {
      status: 400,
      body: {
        error: {
          code: 'invalid_request',
          message: 'A name of models has at most 4 stars.',
          param: 'rules.0.scope.models',
          requestId: 'req_1',
        },
      },
    });
    const { policy, revision } = sampleLimits();
    fake.answer('GET /limits', { body: { revision: revision + 1, policy: { ...policy, rules: policy.rules.slice(0, 2) } } });
    await form.getByRole('button', { name: 'Save changes' }).click();
    await seen(form.getByText('A name of models has at most 4 stars.'));
    expect(await form.getByLabel('Models').getAttribute('aria-invalid')).to.equal('true');
    expect((fake.calls.find(({ operation }) => operation === 'PUT /limits')?.body as { rules: unknown[] }).rules).to.have.length(2);
  });

  it('change many channels at once, by selection and by tag, and say which stay as they were', async () => {
    await page.goto(`${fake.origin}/channels?tag=europe`);
    await seen(page.locator('[data-row]'));
    expect(await page.locator('[data-row]').count()).to.equal(2);
    await page.getByRole('button', { name: 'Select channels' }).click();
    await page.getByRole('button', { name: 'Select all shown' }).click();
    await seen(page.getByText('2 channels selected'));
    await page.getByRole('checkbox', { name: 'Select OpenAI spare' }).uncheck();
    await seen(page.getByText('1 channel selected'));
    expect(await axeFindings(page)).to.deep.equal([]);
    await page.getByRole('button', { name: 'Change selected' }).click();
    const form = page.getByRole('dialog', { name: 'Change 1 channel' });
    await form.getByRole('button', { name: 'Change channels' }).click();
    await seen(form.getByText('Nothing is to change yet.'));
    await form.getByLabel('Priority').fill('high');
    await form.getByRole('button', { name: 'Change channels' }).click();
    await seen(form.getByText('A whole number from -1000 to 1000.'));
    await form.getByLabel('Priority').fill('7');
    await form.getByLabel('Add tags').fill('night, paid');
    fake.answer('POST /channels/edit', {
      body: {
        position: '50001',
        rows: [{ channelId: 'chn_000000000001', ok: false, code: 'invalid_request', message: 'A channel has at most 20 tags.' }],
      },
    });
    await form.getByRole('button', { name: 'Change channels' }).click();
    await seen(form.getByText('OpenAI main A channel has at most 20 tags.'));
    expect(await axeFindings(page)).to.deep.equal([]);
    expect(fake.calls.findLast(({ operation }) => operation === 'POST /channels/edit')?.body).to.deep.equal({
      channelIds: ['chn_000000000001'],
      edit: { priority: 7, addTags: ['night', 'paid'] },
    });
    await page.keyboard.press('Escape');
    await gone(form);

    await page.getByRole('button', { name: 'Change all with this tag' }).click();
    const all = page.getByRole('dialog', { name: 'Change every channel with the tag europe' });
    await all.getByLabel('State').selectOption('off');
    fake.answer('POST /channels/edit', {
      body: { position: '50002', rows: [1, 2].map((n) => ({ channelId: `chn_00000000000${n}`, ok: true, code: null, message: null })) },
    });
    await all.getByRole('button', { name: 'Change channels' }).click();
    await gone(all);
    await seen(page.getByText('2 channels changed'));
    expect(fake.calls.findLast(({ operation }) => operation === 'POST /channels/edit')?.body).to.deep.equal({
      tag: 'europe',
      edit: { enabled: false },
    });
  });

  it('take channels to a file and from one, and show before what would become of each', async () => {
    await page.goto(`${fake.origin}/channels`);
    await seen(page.locator('[data-row]'));
    await page.getByRole('button', { name: 'Export and import' }).click();
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('menuitem', { name: 'Export to a file' }).click()]);
    expect(download.suggestedFilename()).to.match(/^channels-\d{4}-\d\d-\d\d\.json$/);
    const file = JSON.parse(await readFile(await download.path(), 'utf8')) as { channels: { settings: Record<string, unknown> }[] };
    await seen(page.getByText('5 channels exported. Their keys are not in the file.'));

    await page.getByRole('button', { name: 'Export and import' }).click();
    await page.getByRole('menuitem', { name: 'Import from a file' }).click();
    const dialog = page.getByRole('dialog', { name: 'Import from a file' });
    const give = (text: string): Promise<void> =>
      dialog
        .getByLabel('File', { exact: true })
        .setInputFiles({ name: 'channels.json', mimeType: 'application/json', buffer: Buffer.from(text) });
    await give('{"format":"something else"}');
    await seen(dialog.getByText('These are not channels that were exported.'));
    const [main, spare] = file.channels;
    const channels = [
      { settings: { ...main?.settings, priority: 20 } },
      { settings: { ...spare?.settings, baseUrl: 'https://other.example/v1' } },
      { settings: { ...main?.settings, name: 'Brand new' } },
      ...file.channels.slice(2),
    ];
    await give(JSON.stringify({ ...file, channels }));
    await seen(dialog.getByText('What would become of 6 channels'));
    await seen(dialog.getByText('1 to be added, 0 to be changed.'));
    expect(await dialog.getByRole('checkbox', { name: 'OpenAI spare' }).isDisabled()).to.equal(true);
    await dialog.getByRole('checkbox', { name: 'OpenAI main' }).check();
    await seen(dialog.getByText('1 to be added, 1 to be changed.'));
    expect(await axeFindings(page)).to.deep.equal([]);

    fake.answer('POST /channels/import', {
      body: { position: '50001', rows: [{ name: 'Brand new', channelId: 'chn_new', code: null, message: null }] },
    });
    fake.answer('PUT /channels/chn_000000000001', { refused: 'revision_mismatch' });
    await dialog.getByRole('button', { name: 'Import channels' }).click();
    await seen(dialog.getByText('What became of them'));
    await seen(dialog.getByRole('listitem').filter({ hasText: 'Brand new' }).getByText('Added'));
    await seen(dialog.getByRole('listitem').filter({ hasText: 'OpenAI main' }).getByText('As it was'));
    await seen(dialog.getByText('1 channel was added without a key.'));
    expect(await axeFindings(page)).to.deep.equal([]);
    const sent = fake.calls.find(({ operation }) => operation === 'POST /channels/import')?.body as { channels: unknown[] };
    expect(sent.channels).to.deep.equal([{ settings: { ...main?.settings, name: 'Brand new' }, secrets: [] }]);
    expect(fake.calls.find(({ operation }) => operation.startsWith('PUT /channels/'))?.body).to.deep.equal({
      settings: { ...main?.settings, priority: 20 },
    });
  });

  it('read a file of channels again that is chosen once more, and is another by now', async () => {
    await page.goto(`${fake.origin}/channels`);
    await page.getByRole('button', { name: 'Export and import' }).click();
    await page.getByRole('menuitem', { name: 'Import from a file' }).click();
    const input = page.getByRole('dialog', { name: 'Import from a file' }).getByLabel('File', { exact: true });
    await input.setInputFiles({ name: 'channels.json', mimeType: 'application/json', buffer: Buffer.from('{}') });
    await seen(page.getByText('These are not channels that were exported.'));
    expect(await input.inputValue()).to.contain('channels.json');
    // A browser tells of a file only when the name is another than the one that stands there.
    const [chooser] = await Promise.all([page.waitForEvent('filechooser'), input.click()]);
    expect(await input.inputValue()).to.equal('');
    await chooser.setFiles([]);
  });

  it('ask an upstream for its balance, and keep what it last said when it says no more', async () => {
    await page.goto(`${fake.origin}/channels?peek=chn_000000000001`);
    const sheet = page.getByRole('dialog', { name: 'OpenAI main' });
    await seen(sheet.getByText('4.10 USD'));
    await seen(sheet.getByText(/Since 3 hours ago/));
    await sheet.getByRole('button', { name: 'Ask for the balance' }).click();
    await seen(sheet.getByText('118.42 USD'));
    fake.answer('POST /channels/chn_000000000001/balance', {
      refused: 'upstream_failed',
      message: 'The upstream did not tell its balance: HTTP 503.',
    });
    await sheet.getByRole('button', { name: 'Ask for the balance' }).click();
    await seen(sheet.getByText('The upstream did not tell its balance: HTTP 503.'));
    await seen(sheet.getByText('118.42 USD'));
    expect(await axeFindings(page)).to.deep.equal([]);
  });

  it('show how far tasks are and what came back, and cancel one when it is said why', async () => {
    await page.goto(`${fake.origin}/tasks?scope=all&state=in_progress&channel=chn_000000000001`);
    await seen(page.locator('[data-row]'));
    const asked = fake.calls.findLast(({ operation }) => operation === 'GET /tasks');
    expect(Object.fromEntries(new URLSearchParams(asked?.search))).to.deep.equal({
      scope: 'all',
      status: 'in_progress',
      channelId: 'chn_000000000001',
      limit: '50',
    });
    await page.getByRole('button', { name: 'Clear filters' }).click();
    await page.waitForURL(`${fake.origin}/tasks?scope=all`);
    const paidBack = page
      .locator('[data-row]')
      .filter({ hasText: 'suno_music' })
      .getByRole('link', { name: /Paid back/ });
    expect(await paidBack.getAttribute('href')).to.equal('/ledger?peek=req_task3&scope=all');
    await page.keyboard.press('j');
    const sheet = page.getByRole('dialog', { name: 'Task' });
    await seen(sheet.getByText('40%'));
    expect(await axeFindings(page)).to.deep.equal([]);
    await sheet.getByRole('button', { name: 'Cancel task' }).click();
    const form = page.getByRole('dialog', { name: 'Cancel this task?' });
    await seen(form.getByText('Its user is paid back $0.80'));
    await form.getByRole('button', { name: 'Cancel task' }).click();
    await seen(form.getByText('This is needed.'));
    expect(await axeFindings(page)).to.deep.equal([]);
    await form.getByLabel('Reason').fill(' The upstream is down. ');
    fake.answer('POST /tasks/task_000000000001/cancel', {
      refused: 'wrong_state',
      message: 'The task is succeeded and cannot be cancelled any more.',
    });
    await form.getByRole('button', { name: 'Cancel task' }).click();
    await seen(form.getByText('The task is succeeded and cannot be cancelled any more.'));
    fake.answer('POST /tasks/task_000000000001/cancel', {});
    await form.getByRole('button', { name: 'Cancel task' }).click();
    await gone(form);
    await seen(page.getByText('Task cancelled'));
    const sent = fake.calls.findLast(({ operation }) => operation.startsWith('POST /tasks/'));
    expect(sent).to.deep.include({ operation: 'POST /tasks/task_000000000001/cancel', body: { reason: 'The upstream is down.' } });
    await page.goto(`${fake.origin}/tasks?peek=task_000000000004`);
    await seen(sheet.getByText('The lyrics were refused by moderation.'));
    await seen(sheet.getByRole('link', { name: 'Explain this charge and its refund' }));
    expect(await sheet.getByRole('button', { name: 'Cancel task' }).count()).to.equal(0);
  });

  it('speak the language that is chosen in a room whose words came with it', async () => {
    await page.goto(`${fake.origin}/limits`);
    await seen(page.getByText('20,000 tokens a minute for each user'));
    await page.getByRole('button', { name: /Account menu/ }).click();
    await page.getByRole('menuitemradio', { name: '简体中文' }).click();
    await page.keyboard.press('Escape');
    await seen(page.getByText('每个用户每分钟 20,000 Token（含输入和输出）'));
  });

  it('cut very long names, and still tell them', async () => {
    for (const viewport of [
      { width: 1280, height: 800 },
      { width: 360, height: 740 },
    ]) {
      await page.setViewportSize(viewport);
      await page.goto(`${fake.origin}/keys`);
      await seen(page.locator('[data-row]'));
      await seen(page.getByRole('link', { name: LONG_NAME.slice(0, 100) }));
      expect(await sidewaysScroll(page)).to.equal(0);
      await page.getByRole('link', { name: LONG_NAME.slice(0, 100) }).click();
      await seen(page.getByRole('dialog'));
      expect(await sidewaysScroll(page)).to.equal(0);
    }
  });

  it('take thousands of rows page by page', async () => {
    const now = Date.now();
    const rows = sampleRequests(now, 2_000);
    fake.answer('GET /requests', { body: { rows, nextCursor: null } });
    await page.goto(`${fake.origin}/requests`);
    await seen(page.getByText('2,000 rows shown'));
    await page.locator('[data-row]').nth(5).click();
    await seen(page.getByRole('dialog', { name: 'Request' }));
    fake.reset();
    await page.goto(`${fake.origin}/requests?state=charged`);
    await seen(page.getByText('50 rows shown'));
    await page.getByRole('button', { name: 'Load more' }).click();
    await seen(page.getByText('100 rows shown'));
  });

  it('hold new requests back until they are asked for', async () => {
    await page.goto(`${fake.origin}/requests?live=1`);
    await seen(page.locator('button[aria-pressed=true] .bg-ok'));
    const [row] = sampleRequests(Date.now(), 2).slice(1);
    for (let index = 0; index < 3; index += 1) fake.push({ ...row, requestId: `req_live${index}`, model: 'brand-new-model' });
    await page.getByRole('button', { name: '3 new requests' }).click();
    expect(await page.getByText('brand-new-model').count()).to.equal(3);
  });

  it('mark what is wrong with a charge', async () => {
    await page.goto(`${fake.origin}/ledger`);
    await seen(page.locator('[data-row]'));
    const charge = await page.evaluate<string>(`new URL(document.querySelector('[data-row] a').href).searchParams.get('peek')`);
    const answer = (await (await fetch(`${fake.origin}/api/ledger/charges/${charge}`)).json()) as object;
    fake.answer(`GET /ledger/charges/${charge}`, { body: { ...answer, agrees: false, basis: 'held', overdrawn: '1000000' } });
    await page.locator('[data-row] a').first().click();
    await seen(page.getByRole('alert').filter({ hasText: 'the lines below do not give the recorded amount' }));
    await seen(page.getByText('Charged at the hold'));
    await seen(page.getByText('Beyond the hold, not charged'));
    fake.answer('GET /ledger/trial-balance', { body: { position: '1', groups: [], debits: '2', credits: '1', difference: '1' } });
    await page.goto(`${fake.origin}/ledger`);
    await seen(page.getByText('Off by $0.000000001'));
  });
});
