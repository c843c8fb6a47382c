import type { Command, Outcome, Run } from '../command.ts';
import { EXIT, fail } from '../failure.ts';
import { listing } from '../render.ts';

export const startCommand: Command = {
  name: 'start',
  about: 'Run the server until it is told to end.',
  examples: ['start', 'start   # with PORT=8080 in the environment'],
  run: async ({ host }: Run): Promise<Outcome> => {
    const code = await host.start();
    return code === 0 ? 0 : 1;
  },
};

export const configCommand: Command = {
  name: 'config',
  about: 'Show the configuration in force, secrets masked.',
  examples: ['config', 'config --json'],
  run: async ({ host, tell }: Run): Promise<Outcome> => {
    const config = host.config();
    if ('mistakes' in config) return fail(EXIT.failed, config.mistakes.join('\n'));
    tell(Object.fromEntries(config.settings.map(({ name, value, given }) => [name, { value, given }])), () =>
      config.settings.map(({ name, value, given, about }) => `${name}=${value}${given ? '' : '   (unless set)'}\n    ${about}\n`).join(''),
    );
    return 0;
  },
};

export const statusCommand: Command = {
  name: 'status',
  about: 'Show how a running server is.',
  examples: ['status', 'status --json'],
  run: async ({ server, tell }: Run): Promise<Outcome> => {
    const api = await server();
    if ('failed' in api) return api;
    const status = await api.call('readStatus', {});
    if ('failed' in status) return status;
    const { version, profile, startedAt, head, readModelsReady, counts } = status;
    tell(status, () =>
      listing([
        ['server', api.baseUrl],
        ['version', version],
        ['profile', profile],
        ['started', startedAt],
        ['log head', head],
        ['read models', readModelsReady ? 'up to date' : 'behind'],
        ['users', counts.users],
        ['keys', counts.keys],
        ['channels', counts.channels],
        ['priced models', counts.pricedModels],
      ]),
    );
    return 0;
  },
};
