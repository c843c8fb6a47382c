import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { builtConsole } from '../e2e/console/support/built-console.ts';

interface Chunk {
  readonly file: string;
  readonly imports?: readonly string[];
  readonly css?: readonly string[];
}

/** What a page loads before it is shown, compressed as a server sends it. */
describe('the weight of the console', function () {
  this.timeout(180_000);
  let folder: string;
  let manifest: Readonly<Record<string, Chunk>>;

  before(async () => {
    folder = await builtConsole();
    manifest = JSON.parse(readFileSync(join(folder, '.vite/manifest.json'), 'utf8')) as Record<string, Chunk>;
  });

  const reach = (names: readonly string[], found = new Set<string>()): Set<string> => {
    for (const name of names) {
      if (found.has(name)) continue;
      found.add(name);
      reach(manifest[name]?.imports ?? [], found);
    }
    return found;
  };
  const kilobytes = (files: Iterable<string>): number =>
    [...new Set(files)].reduce((sum, file) => sum + gzipSync(readFileSync(join(folder, file))).length, 0) / 1_024;
  const scripts = (...entries: string[]): number =>
    kilobytes([...reach(['index.html', 'src/app/i18n/en.ts', ...entries])].map((name) => manifest[name]!.file));

  it('is at most 105 KB of script for signing in, and 143 KB for any room before its chart', () => {
    expect(scripts('src/features/session/SignInPage.vue')).to.be.below(105);
    for (const room of [
      'keys/KeysPage',
      'requests/RequestsPage',
      'tasks/TasksPage',
      'ledger/LedgerPage',
      'channels/ChannelsPage',
      'users/UsersPage',
      'limits/LimitsPage',
      'routing/RoutingPage',
      'account/AccountPage',
      'overview/OverviewPage',
    ]) {
      const words = `src/features/${room.split('/')[0]!}/locales/en.json`;
      expect(scripts('src/app/shell/AppShell.vue', `src/features/${room}.vue`, ...(words in manifest ? [words] : [])), room).to.be.below(
        143,
      );
    }
  });

  it('loads the chart apart, and it is at most 210 KB', () => {
    expect(reach(['index.html', 'src/app/shell/AppShell.vue', 'src/features/overview/OverviewPage.vue'])).not.to.include(
      'src/features/overview/components/SpendBars.vue',
    );
    expect(kilobytes([manifest['src/features/overview/components/SpendBars.vue']!.file])).to.be.below(210);
  });

  it('is at most 20 KB of style', () => {
    expect(kilobytes(Object.values(manifest).flatMap((chunk) => chunk.css ?? []))).to.be.below(20);
  });

  it('inlines nothing that the policy of the server would refuse', () => {
    const page = readFileSync(join(folder, 'index.html'), 'utf8');
    expect(page).not.to.match(/<script(?![^>]*\bsrc=)|<style|\bon\w+=|javascript:|url\(data:/);
    expect(page.indexOf('/theme.js')).to.be.greaterThan(0).and.below(page.indexOf('type="module"'));
  });
});
