import { expect } from 'chai';
import { initialise, type FirstRun, type FirstRunSettings, type InitialiseDeps } from '../../../commands/installation/initialise.ts';
import { resetPassword } from '../../../commands/users/change-password.ts';
import { passwordContext } from '../../../commands/users/password-context.ts';
import { dollars } from '../../../domain/ledger/money.ts';
import { MasterKeyRefused, masterKeyOf } from '../../../infra/crypto/master-key.ts';
import { secretBox } from '../../../infra/crypto/secret-box.ts';
import { refuseOtherKey } from '../../../infra/server/refuse-other-key.ts';
import { isRefusal } from '../../../schemas/errors.ts';
import type { ChannelSettings } from '../../../schemas/events/channel.ts';
import type { Money } from '../../../schemas/money.ts';
import { RATIO_ONE } from '../../../schemas/price.ts';
import { commandBench, type CommandBench } from '../../support/command-bench.ts';

const sandbox: ChannelSettings = {
  name: 'Sandbox',
  provider: 'sandbox',
  baseUrl: 'http://sandbox.invalid/v1',
  models: [{ model: 'sandbox-small', upstreamModel: 'sandbox-small' }],
  priority: 0,
  weight: 1,
  groups: null,
  costRatio: RATIO_ONE,
};
const settings: FirstRunSettings = {
  adminEmail: 'admin@example.com',
  trialCredit: dollars(5),
  priceList: {
    title: 'First',
    asOf: '2026-01-01',
    source: 'test',
    models: [{ model: 'sandbox-small', kind: 'chat', rates: { input: 1n as Money, output: 1n as Money } }],
  },
  channels: [sandbox],
};

const deps = (bench: CommandBench, seen: FirstRun[] = []): InitialiseDeps => ({
  ...bench,
  wait: (ms) => {
    bench.pass(ms);
    return new Promise((resolve) => setImmediate(resolve));
  },
  reveal: async (firstRun) => {
    seen.push(firstRun);
  },
});

const firstRunOf = (answer: unknown): FirstRun =>
  isRefusal(answer) || typeof answer === 'string' ? expect.fail(JSON.stringify(answer)) : (answer as FirstRun);

/** That what was shown works, and nothing else does. */
const expectReady = async (bench: CommandBench, { administratorId, adminPassword, apiKey }: FirstRun): Promise<void> => {
  const credentials = bench.eventsOf('user').filter((event) => event.type === 'CredentialsChanged');
  const last = credentials.at(-1);
  if (last === undefined) return expect.fail('no credentials');
  expect(
    await bench.passwords.verify(bench.secretBox.open(last.data.passwordHash, passwordContext(administratorId)), adminPassword),
  ).to.equal(true);

  const tokens = bench.eventsOf('token');
  const revoked = new Set(tokens.flatMap((event) => (event.type === 'TokenRevoked' ? [event.data.tokenId] : [])));
  const live = tokens.flatMap((event) => (event.type === 'TokenIssued' && !revoked.has(event.data.tokenId) ? [event.data.keyHash] : []));
  expect(live).to.deep.equal([bench.apiKeys.hashOf(apiKey)]);

  const standing = await bench.book.read(administratorId);
  if (isRefusal(standing)) return expect.fail(standing.message);
  expect(standing.account.wallet).to.equal(dollars(5));
  const told = bench.told();
  for (const once of [
    'user Registered',
    'account AccountOpened',
    'account CreditGranted',
    'pricelist PriceListPublished',
    'channel ChannelAdded',
    'settings InstallationCompleted',
  ]) {
    expect(
      told.filter((line) => line === once),
      once,
    ).to.have.length(1);
  }
};

describe('first start', () => {
  it('makes an administrator with credit, prices, a channel and a key, and shows the credentials', async () => {
    const bench = commandBench();
    const seen: FirstRun[] = [];
    const firstRun = firstRunOf(await initialise(deps(bench, seen), settings));
    await expectReady(bench, firstRun);
    expect(seen).to.have.length(1);
    expect(firstRun.position).to.equal(bench.log.events.at(-1)?.position);
    expect(JSON.stringify(bench.log.events.map(({ data, metadata }) => [data, metadata])))
      .not.to.include(firstRun.adminPassword)
      .and.not.to.include(firstRun.apiKey);
  });

  it('happens once', async () => {
    const bench = commandBench();
    await initialise(deps(bench), settings);
    const before = bench.log.events.length;
    expect(await initialise(deps(bench), settings)).to.equal('already initialised');
    expect(bench.log.events).to.have.length(before);
  });

  it('happens once when several processes start together, and the others wait for it', async () => {
    const bench = commandBench();
    const answers = await Promise.all(Array.from({ length: 4 }, () => initialise(deps(bench), settings)));
    const made = answers.filter((answer) => typeof answer !== 'string');
    expect(made).to.have.length(1);
    expect(answers.filter((answer) => answer === 'already initialised')).to.have.length(3);
    await expectReady(bench, firstRunOf(made[0]));
  });

  it('is taken over from a process that died, wherever it died', async () => {
    const whole = commandBench();
    await initialise(deps(whole), settings);
    const steps = whole.log.events.length;
    for (let death = 0; death < steps; death++) {
      let dead = false;
      const bench = commandBench({
        beforeAppend: (nth) => {
          if (nth !== death || dead) return;
          dead = true;
          throw new Error('killed');
        },
      });
      await initialise(deps(bench), settings).catch(() => undefined);
      if (!dead) break;
      const firstRun = firstRunOf(await initialise(deps({ ...bench }), settings));
      await expectReady(bench, firstRun);
      expect(await initialise(deps(bench), settings)).to.equal('already initialised');
    }
  });

  it('is taken over at once by who has the data to himself', async () => {
    let dead = false;
    const bench = commandBench({
      beforeAppend: (nth) => {
        if (nth !== 3 || dead) return;
        dead = true;
        throw new Error('killed');
      },
    });
    await initialise(deps(bench), settings).catch(() => undefined);
    const wait = (): Promise<void> => Promise.reject(new Error('there is nobody to wait for'));
    await expectReady(bench, firstRunOf(await initialise({ ...deps(bench), wait, alone: true }, settings)));
  });

  it('is not over before the credentials were shown', async () => {
    const bench = commandBench();
    const unseen = deps(bench);
    await initialise({ ...unseen, reveal: () => Promise.reject(new Error('disk full')) }, settings).catch(() => undefined);
    expect(bench.told()).not.to.include('settings InstallationCompleted');
    await expectReady(bench, firstRunOf(await initialise(unseen, settings)));
  });

  it('grants nothing where no trial credit was asked for', async () => {
    const bench = commandBench();
    firstRunOf(await initialise(deps(bench), { ...settings, trialCredit: 0n as Money, channels: [] }));
    expect(bench.told()).not.to.include('account CreditGranted').and.not.to.include('channel ChannelAdded');
  });

  it('leaves word of the master key that it was made under, and is nobody’s with another', async () => {
    const bench = commandBench();
    const [another, right] = [masterKeyOf(Buffer.alloc(32, 9)), bench.masterKey];
    await refuseOtherKey(bench.log, another, 'master.key');
    const { administratorId } = firstRunOf(await initialise(deps(bench), settings));
    await refuseOtherKey(bench.log, right, 'master.key');
    const refused = await refuseOtherKey(bench.log, another, 'master.key').then(
      () => expect.fail('it was taken'),
      (error: unknown) => error,
    );
    expect(refused).to.be.instanceOf(MasterKeyRefused);
    expect((refused as Error).message).to.contain(`under master key ${right.id}, and master.key holds ${another.id}`);

    // The way out for those whose key is lost for good.
    await resetPassword({ ...bench, secretBox: secretBox(another) }, administratorId, bench.context());
    await refuseOtherKey(bench.log, another, 'master.key');
  });
});
