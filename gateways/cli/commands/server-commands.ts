import { settings } from '../../../schemas/config.ts';
import { ROLES } from '../../../schemas/roles.ts';
import type { Command, Outcome, Run } from '../command.ts';
import { EXIT, fail } from '../failure.ts';
import { listing } from '../render.ts';

export const startCommand: Command = {
  name: 'start',
  about: 'Run the server until it is told to end.',
  common: [],
  options: {
    role: {
      value: 'ROLES',
      about: `What this process does: all, or some of ${ROLES.join(', ')} with commas between them. Default: OBLIVIOUS_ROLES, or all.`,
    },
    processes: {
      value: 'N',
      about:
        'How many processes answer callers; with more than one, background roles have one of their own. Default: OBLIVIOUS_PROCESSES, or 1.',
    },
  },
  examples: [
    'start',
    'start   # with PORT=8080 in the environment',
    'start --role relay,console',
    'start --role projector,sweeper',
    'start --processes 4   # kill -HUP puts a new process in the place of each',
  ],
  run: async ({ host, options }: Run): Promise<Outcome> => {
    const given: Record<string, string> = {};
    for (const [option, setting] of [
      ['role', 'OBLIVIOUS_ROLES'],
      ['processes', 'OBLIVIOUS_PROCESSES'],
    ] as const) {
      const text = options[option];
      if (text === undefined) continue;
      const read = settings[setting].schema.safeParse(text);
      if (!read.success) return fail(EXIT.usage, `--${option}: ${read.error.issues.map(({ message }) => message).join('; ')}.`);
      given[setting] = text;
    }
    const code = await host.start(given);
    return code === 0 ? 0 : 1;
  },
};

export const configCommand: Command = {
  name: 'config',
  about: 'Show the configuration in force, secrets masked.',
  common: ['json'],
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
