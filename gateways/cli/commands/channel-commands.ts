import { EXIT, fail, isFailure } from '../failure.ts';
import type { Command, Outcome, Run } from '../command.ts';
import { listing, table } from '../render.ts';
import { argument, wordsOf } from './given.ts';

const CHANNEL = { name: 'channel', about: 'Id of the channel (chn_…).' } as const;

/** `gpt-4o`, or `gpt-4o=their-gpt-4o` where the upstream calls it otherwise. */
const mappingOf = (word: string): { readonly model: string; readonly upstreamModel: string } => {
  const [model = '', upstreamModel = model] = word.split('=');
  return { model, upstreamModel };
};

const switchChannel = (name: 'enable' | 'disable', about: string, said: string): Command => ({
  name: `channels ${name}`,
  about,
  args: [CHANNEL],
  ...(name === 'disable' ? { options: { reason: { value: 'TEXT', about: 'Why, for the record.' } } } : {}),
  examples: [`channels ${name} chn_0mb2…`],
  run: async (run: Run): Promise<Outcome> => {
    const api = await run.server();
    if (isFailure(api)) return api;
    const params = { channelId: argument(run, 'channel') };
    const done =
      name === 'enable'
        ? await api.call('enableChannel', { params })
        : await api.call('disableChannel', { params, body: { reason: run.options.reason } });
    if (isFailure(done)) return done;
    run.tell({ ...params, ...done }, () => `${params.channelId} is ${said}.\n`);
    return 0;
  },
});

export const channelCommands: readonly Command[] = [
  {
    name: 'channels add',
    about: 'Add a channel to a provider. Its key is read from standard input.',
    options: {
      name: { value: 'NAME', about: 'What to call it.', required: true },
      provider: { value: 'ID', about: 'Who is behind it, as `providers list` shows, or sandbox; openai-compatible unless given.' },
      'base-url': { value: 'URL', about: 'With the version, such as https://api.openai.com/v1; the provider’s own unless given.' },
      blanks: { value: 'LIST', about: 'What fills the blanks of the provider’s address: name=value, with commas between them.' },
      models: { value: 'LIST', about: 'Models, with commas between them; ours=theirs where the names differ.', required: true },
      priority: { value: 'N', about: 'Channels of the highest priority are tried first; 0 unless given.' },
      weight: { value: 'N', about: 'The odds among equals; 1 unless given.' },
      groups: { value: 'LIST', about: 'User groups that may use it; all unless given.' },
      'no-key': { about: 'The upstream wants no key; standard input is left alone. So it is for the sandbox.' },
    },
    examples: [
      'channels add --name Groq --provider groq --models llama-3.3-70b-versatile < key.txt',
      'channels add --name Workers --provider cloudflare-workers-ai --blanks account=0a1b2c --models @cf/meta/llama-3 < key.txt',
      'channels add --name Sandbox --provider sandbox --models sandbox-echo,sandbox-story',
      'channels add --name local --base-url http://127.0.0.1:11434/v1 --models llama=llama3.2:3b --no-key',
    ],
    run: async (run: Run): Promise<Outcome> => {
      const { name = '', provider, 'base-url': baseUrl, blanks, models, priority, weight, groups } = run.options;
      if (provider === undefined && baseUrl === undefined) return fail(EXIT.usage, 'Say where it leads: --provider, --base-url or both.');
      const filled = (wordsOf(blanks) ?? []).map((word) => word.split(/=(.*)/s, 2));
      if (filled.some(([blank, value]) => !blank || !value))
        return fail(EXIT.usage, '--blanks takes name=value, with commas between them.');
      for (const [option, value] of [
        ['priority', priority],
        ['weight', weight],
      ] as const)
        if (value !== undefined && !/^-?\d{1,5}$/.test(value)) return fail(EXIT.usage, `--${option} takes a whole number.`);
      const api = await run.server();
      if (isFailure(api)) return api;
      const keyless = run.switches.has('no-key') || provider === 'sandbox';
      const secret = keyless ? '' : (await run.host.readStdin()).trim();
      if (secret === '' && !keyless) return fail(EXIT.usage, 'There was no key on standard input. Give one, or say --no-key.');
      const added = await api.call('addChannel', {
        body: {
          settings: {
            name,
            provider: provider ?? 'openai-compatible',
            baseUrl: baseUrl?.replace(/\/$/, ''),
            models: (wordsOf(models) ?? []).map(mappingOf),
            priority: priority === undefined ? undefined : Number(priority),
            weight: weight === undefined ? undefined : Number(weight),
            groups: wordsOf(groups),
          },
          blanks: Object.fromEntries(filled) as Readonly<Record<string, string>>,
          secrets: secret === '' ? [] : [secret],
        },
      });
      if (isFailure(added)) return added;
      run.tell(added, () => listing([['channel', added.channelId]]));
      return 0;
    },
  },
  {
    name: 'providers list',
    about: 'List everybody who can be behind a channel.',
    options: { search: { value: 'WORD', about: 'Only those with this in their id or name.' } },
    examples: ['providers list', 'providers list --search cloud --json'],
    run: async (run: Run): Promise<Outcome> => {
      const api = await run.server();
      if (isFailure(api)) return api;
      const list = await api.call('listProviders', {});
      if (isFailure(list)) return list;
      const word = (run.options['search'] ?? '').toLowerCase();
      const rows = list.rows.filter(({ id, name }) => id.includes(word) || name.toLowerCase().includes(word));
      run.tell(rows, () =>
        table(
          [
            { title: 'PROVIDER', cell: ({ id }) => id },
            { title: 'NAME', cell: ({ name }) => name },
            { title: 'BASE URL', cell: ({ baseUrl }) => baseUrl ?? '' },
            { title: 'SERVES', cell: ({ serves }) => serves.join(' ') },
          ],
          rows,
        ),
      );
      return 0;
    },
  },
  {
    name: 'channels list',
    about: 'List channels with their health.',
    examples: ['channels list', 'channels list --json'],
    run: async (run: Run): Promise<Outcome> => {
      const api = await run.server();
      if (isFailure(api)) return api;
      const list = await api.call('listChannels', {});
      if (isFailure(list)) return list;
      run.tell(list.rows, () =>
        table(
          [
            { title: 'CHANNEL', cell: ({ channelId }) => channelId },
            { title: 'NAME', cell: ({ settings }) => settings.name },
            { title: 'PROVIDER', cell: ({ settings }) => settings.provider },
            { title: 'STATE', cell: ({ enabled }) => (enabled ? 'on' : 'off') },
            { title: 'HEALTH', cell: ({ health }) => health },
            { title: 'KEYS', cell: ({ keys }) => `${keys.filter(({ enabled }) => enabled).length}/${keys.length}`, right: true },
            { title: 'MODELS', cell: ({ settings }) => settings.models.length, right: true },
            {
              title: 'LEFT',
              cell: ({ balance }) => (balance === undefined ? '' : `${balance.amount} ${balance.currency}${balance.isLow ? ' (low)' : ''}`),
              right: true,
            },
            { title: 'BASE URL', cell: ({ settings }) => settings.baseUrl },
          ],
          list.rows,
        ),
      );
      return 0;
    },
  },
  {
    name: 'channels test',
    about: 'Send one small call through a channel. Exit code 1 when it fails.',
    args: [CHANNEL],
    options: { model: { value: 'MODEL', about: 'Which; the first that the channel maps unless given.' } },
    examples: ['channels test chn_0mb2…', 'channels test chn_0mb2… --model gpt-4o'],
    run: async (run: Run): Promise<Outcome> => {
      const api = await run.server();
      if (isFailure(api)) return api;
      const tested = await api.call('testChannel', { params: { channelId: argument(run, 'channel') }, body: { model: run.options.model } });
      if (isFailure(tested)) return tested;
      run.tell(tested, () => `${tested.ok ? 'ok' : 'failed'}: ${tested.model} in ${tested.latencyMs} ms. ${tested.message}\n`);
      return tested.ok ? 0 : 1;
    },
  },
  switchChannel('disable', 'Send no more calls to a channel.', 'off'),
  switchChannel('enable', 'Let calls go to a channel.', 'on'),
];
