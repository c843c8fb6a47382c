import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { axeFindings, focusedName, gone, seen, until } from '../e2e/console/support/browser.ts';
import type { FakeConsole } from './support/fake-console-api.ts';
import { held, inConsole } from './support/in-console.ts';
import { sampleChannels, sampleKeys, sampleRouting } from './support/sample-data.ts';

const MAIN = 'chn_000000000001';

describe('what is done in the console', function () {
  this.timeout(60_000);
  let fake: FakeConsole;
  let page: Page;
  const called = (operation: string): number => fake.calls.filter((call) => call.operation === operation).length;
  /** Resolves once the server was asked for that so many times. */
  const calledTimes = async (operation: string, times: number): Promise<void> => {
    const deadline = Date.now() + 15_000;
    while (called(operation) < times) {
      if (Date.now() > deadline) throw new Error(`${operation} was called ${called(operation)} times, not ${times}`);
      await page.evaluate('new Promise((resolve) => requestAnimationFrame(resolve))');
    }
  };

  inConsole((place) => ({ fake, page } = place));

  describe('to one row', () => {
    it('does not wait for what is done to another: two channels are tested at once', async () => {
      const slow = held();
      fake.answer(`POST /channels/${MAIN}/test`, { after: slow.until });
      await page.goto(`${fake.origin}/channels`);
      const [main, spare] = ['Test OpenAI main', 'Test OpenAI spare'].map((name) => page.getByRole('button', { name }));
      await main!.click();
      await seen(page.locator('button[aria-busy=true]').filter({ hasText: 'Test' }));
      await spare!.click();
      await seen(page.getByText('OpenAI spare answered with gpt-5.2'));
      expect(await main!.getAttribute('aria-busy')).to.equal('true');
      slow.release();
      await seen(page.getByText('OpenAI main answered with gpt-5.2'));
    });

    it('does not wait for what is done to another: two notifications are read at once', async () => {
      const slow = held();
      for (const id of ['ntf_000000000003', 'ntf_000000000002']) fake.answer(`POST /notifications/${id}/read`, { after: slow.until });
      await page.goto(`${fake.origin}/notifications`);
      const buttons = page.getByRole('button', { name: /^Mark as read: / });
      await seen(buttons);
      await buttons.nth(0).click();
      await buttons.nth(1).click();
      await calledTimes('POST /notifications/ntf_000000000003/read', 1);
      await calledTimes('POST /notifications/ntf_000000000002/read', 1);
      expect(await buttons.nth(0).getAttribute('aria-busy')).to.equal('true');
      slow.release();
    });
  });

  describe('in steps', () => {
    it('is done as often as it was asked for where steps add up: a rule of routing is moved twice', async () => {
      let rules = [...sampleRouting(Date.now()).rules];
      rules = [...rules, { ...rules[0]!, models: ['third'] }].slice(-3);
      const wanted = [rules[1], rules[2], rules[0]];
      const slow = held();
      fake.answer('GET /routing/rules', {
        body: () => {
          const sent = fake.calls.findLast(({ operation }) => operation === 'PUT /routing/rules')?.body as
            { rules: typeof rules } | undefined;
          return { rules: sent?.rules ?? rules, changedAt: null, revision: 3 };
        },
      });
      fake.answer('PUT /routing/rules', { after: slow.until });
      await page.goto(`${fake.origin}/routing`);
      for (const _ of ['once', 'twice']) {
        await page.getByRole('button', { name: 'Actions for rule 1' }).click();
        await page.getByRole('menuitem', { name: 'Move down' }).click();
      }
      slow.release();
      await calledTimes('PUT /routing/rules', 2);
      const sent = fake.calls.filter(({ operation }) => operation === 'PUT /routing/rules').map(({ body }) => body);
      expect(sent).to.deep.equal([{ rules: [rules[1], rules[0], rules[2]] }, { rules: wanted }]);
    });

    it('shows what became of the first when the second is refused, and goes on from there', async () => {
      const key = 'key_000000000001';
      const [before] = sampleKeys(Date.now());
      await page.goto(`${fake.origin}/keys?peek=${key}`);
      await page.getByRole('button', { name: 'Edit key' }).click();
      const form = page.getByRole('dialog', { name: /^Edit / });
      await form.getByLabel('Name').fill('renamed');
      await form.getByLabel('Per day').fill('7');
      const after = { ...before, name: 'renamed', revision: 4 };
      fake.answer(`GET /keys/${key}`, { body: after });
      fake.answer(`PUT /keys/${key}/caps`, { refused: 'log_unavailable' });
      await form.getByRole('button', { name: 'Save changes' }).click();
      await seen(form.getByRole('alert'));
      await seen(page.getByRole('dialog', { name: 'Edit renamed' }));
      expect(await page.getByLabel('Per day').inputValue()).to.equal('7');
      fake.answer(`PUT /keys/${key}/caps`, {});
      await page.getByRole('button', { name: 'Save changes' }).click();
      await gone(page.getByRole('dialog', { name: 'Edit renamed' }));
      expect(called(`PATCH /keys/${key}`)).to.equal(1);
      expect(called(`PUT /keys/${key}/caps`)).to.equal(2);
    });
  });

  describe('against what others did meanwhile', () => {
    it('removes a channel at the second try, under the revision that it has by then', async () => {
      await page.goto(`${fake.origin}/channels`);
      await page.getByRole('button', { name: 'Actions for OpenAI main' }).click();
      await page.getByRole('menuitem', { name: 'Remove channel' }).click();
      const asked = page.getByRole('dialog', { name: 'Remove OpenAI main?' });
      await asked.getByLabel('Type OpenAI main to confirm').fill('OpenAI main');
      const channels = sampleChannels(Date.now());
      fake.answer('GET /channels', { body: { rows: channels.map((channel) => ({ ...channel, revision: channel.revision + 5 })) } });
      fake.answer(`DELETE /channels/${MAIN}`, { refused: 'revision_mismatch' });
      await asked.getByRole('button', { name: 'Remove channel' }).click();
      await seen(asked.getByText(/It has changed since you looked/));
      await until(page, `document.querySelector('[aria-busy=true]') === null`);
      fake.answer(`DELETE /channels/${MAIN}`, {});
      await asked.getByRole('button', { name: 'Remove channel' }).click();
      await gone(asked);
      const revisions = fake.calls.filter(({ operation }) => operation === `DELETE /channels/${MAIN}`).map(({ revision }) => revision);
      expect(revisions).to.deep.equal([channels[0]!.revision, channels[0]!.revision + 5].map((revision) => `"${revision}"`));
    });

    it('changes a channel that was only tested meanwhile', async () => {
      await page.goto(`${fake.origin}/channels?peek=${MAIN}`);
      await page.getByRole('button', { name: 'Change channel' }).click();
      const form = page.getByRole('dialog', { name: 'Change OpenAI main' });
      await form.getByLabel('Priority').fill('12');
      const channels = sampleChannels(Date.now());
      fake.answer('GET /channels', { body: { rows: channels.map((channel) => ({ ...channel, revision: channel.revision + 5 })) } });
      await form.getByRole('button', { name: 'Save changes' }).click();
      await gone(form);
      const sent = fake.calls.find(({ operation }) => operation === `PUT /channels/${MAIN}`);
      expect(sent?.revision).to.equal(`"${channels[0]!.revision + 5}"`);
    });

    it('says that somebody else changed the channel, keeps what is typed, and lets either be taken', async () => {
      const channels = sampleChannels(Date.now());
      const theirs = channels.map((channel) =>
        channel.channelId === MAIN ? { ...channel, revision: 9, settings: { ...channel.settings, weight: 77 } } : channel,
      );
      for (const choice of ['Take theirs', 'Save mine instead']) {
        fake.reset();
        await page.goto(`${fake.origin}/channels?peek=${MAIN}`);
        await page.getByRole('button', { name: 'Change channel' }).click();
        const form = page.getByRole('dialog', { name: 'Change OpenAI main' });
        await form.getByLabel('Priority').fill('12');
        fake.answer('GET /channels', { body: { rows: theirs } });
        await form.getByRole('button', { name: 'Save changes' }).click();
        await seen(form.getByText('Somebody else changed this channel while you had it open.'));
        expect(called(`PUT /channels/${MAIN}`)).to.equal(0);
        expect(await axeFindings(page)).to.deep.equal([]);
        await until(page, `document.querySelector('[aria-busy=true]') === null`);
        expect(await form.getByLabel('Priority').inputValue()).to.equal('12');
        await form.getByRole('button', { name: choice }).click();
        if (choice === 'Take theirs') {
          await until(page, `[...document.querySelectorAll('[role=dialog] input')].some((input) => input.value === '77')`);
          expect(await form.getByLabel('Priority').inputValue()).to.equal('10');
        } else {
          await gone(form);
          const sent = fake.calls.find(({ operation }) => operation === `PUT /channels/${MAIN}`);
          expect([sent?.revision, (sent?.body as { settings: { priority: number } }).settings.priority]).to.deep.equal(['"9"', 12]);
        }
      }
    });
  });

  describe('and refused', () => {
    it('leaves what is typed into the profile', async () => {
      await page.goto(`${fake.origin}/account`);
      const email = page.getByLabel('E-mail address');
      await email.fill('ada@taken.example');
      fake.answer('PATCH /account', { refused: 'already_exists' });
      const asked = called('GET /account');
      await page.getByRole('button', { name: 'Save changes' }).click();
      await seen(page.getByText('Somebody has this address already.'));
      await calledTimes('GET /account', asked + 1);
      await until(page, `document.querySelector('[aria-busy=true]') === null`);
      expect(await email.inputValue()).to.equal('ada@taken.example');
    });

    it('says so beside the field of a key that is changed, as where it was created', async () => {
      await page.goto(`${fake.origin}/keys?peek=key_000000000001`);
      await page.getByRole('button', { name: 'Edit key' }).click();
      const form = page.getByRole('dialog', { name: /^Edit / });
      await form.getByLabel('Name').fill('other');
      fake.answer('PATCH /keys/key_000000000001', {
        status: 400,
        body: { error: { code: 'invalid_request', message: 'This name is not allowed here.', param: 'name', requestId: 'req_1' } },
      });
      await form.getByRole('button', { name: 'Save changes' }).click();
      await seen(form.getByText('This name is not allowed here.'));
      expect(await form.getByLabel('Name').getAttribute('aria-invalid')).to.equal('true');
    });

    it('says why a file is not made', async () => {
      await page.goto(`${fake.origin}/ledger`);
      await page.getByRole('button', { name: 'Export file' }).click();
      fake.answer('POST /exports', { refused: 'invalid_request', message: 'Five exports are being made already.' });
      const form = page.getByRole('dialog');
      await form.getByRole('button', { name: 'Make the file' }).click();
      await seen(form.getByRole('alert').filter({ hasText: 'Five exports are being made already.' }));
      expect(await axeFindings(page)).to.deep.equal([]);
      await page.keyboard.press('Escape');
      await gone(form);
      await until(page, `document.activeElement?.textContent.includes('Export file') === true`);
    });

    it('says that more rows did not come, and offers them again', async () => {
      await page.goto(`${fake.origin}/requests`);
      await seen(page.getByText('50 rows shown'));
      fake.answer('GET /requests', { refused: 'read_model_behind' });
      await page.getByRole('button', { name: 'Load more' }).click();
      await seen(page.getByText('The next rows could not be loaded.'));
      fake.answer('GET /requests', {});
      await page.getByRole('button', { name: 'Load more' }).click();
      await seen(page.getByText('100 rows shown'));
    });

    it('forgets the objection to one file when another is chosen', async () => {
      await page.goto(`${fake.origin}/channels`);
      await page.getByRole('button', { name: 'Export and import' }).click();
      await page.getByRole('menuitem', { name: 'Import from a file' }).click();
      const dialog = page.getByRole('dialog', { name: 'Import from a file' });
      const give = (name: string): Promise<void> =>
        dialog.getByLabel('File', { exact: true }).setInputFiles({
          name: `${name}.json`,
          mimeType: 'application/json',
          buffer: Buffer.from(
            JSON.stringify({
              format: 'oblivious-channels',
              version: 1,
              channels: [{ settings: { ...sampleChannels(Date.now())[0]!.settings, name } }],
            }),
          ),
        });
      await give('First');
      fake.answer('POST /channels/import', {
        status: 400,
        body: {
          error: { code: 'address_blocked', message: 'This address is private.', param: 'channels.0.settings.baseUrl', requestId: 'req_1' },
        },
      });
      await dialog.getByRole('button', { name: 'Import channels' }).click();
      await seen(dialog.getByText(/This address is private/));
      await give('Second');
      await seen(dialog.getByRole('checkbox', { name: 'Second' }));
      expect(await dialog.getByText(/This address is private/).count()).to.equal(0);
    });
  });

  describe('to see less', () => {
    it('tells a ledger with nothing in its period from one whose filters leave nothing, and clears those alone', async () => {
      fake.answer('GET /ledger/journal', { body: { rows: [], nextCursor: null } });
      await page.goto(`${fake.origin}/ledger?period=7d&view=entries&scope=all`);
      await seen(page.getByText('Nothing was recorded in this period.'));
      await page.getByRole('combobox', { name: 'Kind of entry' }).selectOption('grant');
      await seen(page.getByText('Nothing matches these filters.'));
      await page.getByRole('button', { name: 'Clear filters' }).click();
      await seen(page.getByText('Nothing was recorded in this period.'));
      expect(Object.fromEntries(new URL(page.url()).searchParams)).to.deep.equal({ period: '7d', view: 'entries', scope: 'all' });
    });

    it('does not take keys that are all out of use for none', async () => {
      const revoked = sampleKeys(Date.now()).filter(({ status }) => status === 'revoked');
      fake.answer('GET /keys', { body: (search: URLSearchParams) => ({ rows: search.has('status') ? [] : revoked, nextCursor: null }) });
      await page.goto(`${fake.origin}/keys`);
      await seen(page.getByText('Nothing matches these filters.'));
      await page.getByRole('button', { name: 'Clear filters' }).click();
      await seen(page.locator('[data-row]'));
    });

    it('does not say that a channel is gone while it is on its way, nor when it did not come', async () => {
      const slow = held();
      fake.answer('GET /channels', { after: slow.until });
      await page.goto(`${fake.origin}/channels?peek=${MAIN}`);
      const sheet = page.getByRole('dialog');
      await seen(sheet);
      await sheet.getByText('Loading…').waitFor({ state: 'attached' });
      expect(await sheet.getByText('This channel is not there, or is no longer.').count()).to.equal(0);
      fake.answer('GET /channels', { refused: 'log_unavailable' });
      await page.reload();
      await seen(sheet.getByText('The channels could not be loaded.'));
      fake.answer('GET /channels', {});
      await sheet.getByRole('button', { name: 'Retry' }).click();
      await seen(page.getByRole('dialog', { name: 'OpenAI main' }).getByText('https://openai-main.example/v1'));
      slow.release();
    });

    it('lists the tags of a channel once', async () => {
      await page.goto(`${fake.origin}/channels?tag=europe`);
      await page.locator('[data-row] a').first().click();
      const sheet = page.getByRole('dialog');
      await seen(sheet.getByRole('link', { name: 'europe' }));
      expect(await sheet.getByText('Tags', { exact: true }).count()).to.equal(1);
    });
  });

  it('leads to what is wrong where the form is longer than the window', async () => {
    await page.setViewportSize({ width: 1280, height: 480 });
    await page.goto(`${fake.origin}/channels?new=1`);
    const form = page.getByRole('dialog', { name: 'Add channel' });
    await form.getByLabel('Upstream cost').scrollIntoViewIfNeeded();
    await form.getByRole('button', { name: 'Add channel' }).click();
    await until(page, `document.activeElement?.getAttribute('aria-invalid') === 'true'`);
    expect(await focusedName(page)).to.equal('Name');
    await page.keyboard.type('New');
    await form.getByLabel('Base URL').fill('https://new.example/v1');
    await form.getByLabel('Models').fill('m');
    fake.answer('POST /channels', { refused: 'log_unavailable', message: 'The disk is full.' });
    await form.getByLabel('Name').focus();
    await page.keyboard.press('Enter');
    await seen(form.getByRole('alert').filter({ hasText: 'The disk is full.' }));
    await until(
      page,
      `document.querySelector('[role=dialog] [role=alert]').getBoundingClientRect().bottom - 1 <= document.querySelector('[role=dialog] footer').getBoundingClientRect().top`,
    );
  });

  it('gives the focus back to what asked for it', async () => {
    await page.goto(`${fake.origin}/users?peek=usr_000000000002`);
    const sheet = page.getByRole('dialog');
    for (const name of ['Grant credit', 'Reset password', 'Suspend user']) {
      const button = sheet.getByRole('button', { name });
      await seen(button);
      await button.focus();
      await page.keyboard.press('Enter');
      await until(page, `document.querySelectorAll('[role=dialog]').length === 2`);
      await page.keyboard.press('Escape');
      await until(page, `document.querySelectorAll('[role=dialog]').length === 1`);
      await until(page, `document.activeElement?.textContent.trim() === ${JSON.stringify(name)}`);
      expect(await focusedName(page)).to.equal(name);
    }
  });
});
