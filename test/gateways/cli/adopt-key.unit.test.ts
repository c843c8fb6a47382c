import { expect } from 'chai';
import { initialise } from '../../../commands/installation/initialise.ts';
import { sealingKeyOf } from '../../../commands/installation/sealing-key.ts';
import { runCli } from '../../../gateways/cli/run-cli.ts';
import type { CommandLineHost } from '../../../gateways/ports/command-line-host.ts';
import { masterKeyOf } from '../../../infra/crypto/master-key.ts';
import { secretBox } from '../../../infra/crypto/secret-box.ts';
import type { Money } from '../../../schemas/money.ts';
import { commandBench } from '../../support/command-bench.ts';

describe('admin reset-password on data of another master key', () => {
  it('does nothing, unless told that the right one is lost', async () => {
    const bench = commandBench();
    await initialise(
      { ...bench, wait: () => Promise.resolve(), reveal: () => Promise.resolve() },
      {
        adminEmail: 'admin@example.com',
        trialCredit: 0n as Money,
        priceList: {
          title: 'First',
          asOf: '2026-01-01',
          source: 'test',
          models: [{ model: 'm', kind: 'chat', rates: { input: 1n as Money, output: 1n as Money } }],
        },
        channels: [],
      },
    );
    const mistaken = masterKeyOf(Buffer.alloc(32, 9));
    let said = '';
    const stream = { write: (text: string) => ((said += text), true) };
    const host: Partial<CommandLineHost> = {
      stdout: stream as CommandLineHost['stdout'],
      stderr: stream as CommandLineHost['stderr'],
      config: () => ({ settings: [] }),
      server: () => Promise.resolve(null),
      openData: () =>
        Promise.resolve({ ...bench, secretBox: secretBox(mistaken), close: () => Promise.resolve() } as unknown as Awaited<
          ReturnType<CommandLineHost['openData']>
        >),
    };
    const reset = (...more: string[]): Promise<number> =>
      runCli(['admin', 'reset-password', 'admin@example.com', ...more], host as CommandLineHost);

    expect(await reset()).to.equal(3);
    expect(said).to.contain(`under master key ${bench.masterKey.id}, and this command has ${mistaken.id}`);
    expect(await sealingKeyOf(bench.log)).to.equal(bench.masterKey.id);

    expect(await reset('--adopt-key')).to.equal(0);
    expect(await sealingKeyOf(bench.log)).to.equal(mistaken.id);
  });
});
