import { ImportChannels } from '../../../schemas/http/channels.ts';
import { EXIT, fail, isFailure } from '../failure.ts';
import type { Command, Outcome, Run } from '../command.ts';
import { jsonOf, listing, table } from '../render.ts';
import { argument, wordsOf, mistakeIn } from './given.ts';

const CHANNEL = { name: 'channel', about: 'Id of the channel (chn_…).' } as const;

const parsedJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** Many channels at once: between installations, by tag, and by what their upstreams have. */
export const channelTransferCommands: readonly Command[] = [
  {
    name: 'channels edit',
    about: 'Change many channels at once. Exit code 1 when one of them is left as it was.',
    options: {
      channels: { value: 'LIST', about: 'Ids, with commas between them.' },
      tag: { value: 'TAG', about: 'Every channel that carries it, instead.' },
      priority: { value: 'N', about: 'Channels of the highest priority are tried first.' },
      weight: { value: 'N', about: 'The odds among equals.' },
      'add-tags': { value: 'LIST', about: 'Tags to put on.' },
      'remove-tags': { value: 'LIST', about: 'Tags to take off.' },
      on: { about: 'Switch them on.' },
      off: { about: 'Switch them off.' },
    },
    examples: ['channels edit --tag eu --off', 'channels edit --channels chn_0mb2…,chn_0mb3… --add-tags eu --weight 5'],
    run: async (run: Run): Promise<Outcome> => {
      const { channels, tag, priority, weight } = run.options;
      if ((channels === undefined) === (tag === undefined)) return fail(EXIT.usage, 'Say which channels: either --channels or --tag.');
      for (const [option, value] of [
        ['priority', priority],
        ['weight', weight],
      ] as const)
        if (value !== undefined && !/^-?\d{1,5}$/.test(value)) return fail(EXIT.usage, `--${option} takes a whole number.`);
      const api = await run.server();
      if (isFailure(api)) return api;
      const edited = await api.call('editChannels', {
        body: {
          channelIds: wordsOf(channels),
          tag,
          edit: {
            enabled: run.switches.has('on') ? true : run.switches.has('off') ? false : undefined,
            priority: priority === undefined ? undefined : Number(priority),
            weight: weight === undefined ? undefined : Number(weight),
            addTags: wordsOf(run.options['add-tags']),
            removeTags: wordsOf(run.options['remove-tags']),
          },
        },
      });
      if (isFailure(edited)) return edited;
      run.tell(edited, () =>
        table(
          [
            { title: 'CHANNEL', cell: ({ channelId }) => channelId },
            { title: 'DONE', cell: ({ ok, message }) => (ok ? 'yes' : (message ?? 'no')) },
          ],
          edited.rows,
        ),
      );
      return edited.rows.every(({ ok }) => ok) ? 0 : 1;
    },
  },
  {
    name: 'channels export',
    about: 'Print every channel as JSON, for another installation. Keys are never in it.',
    examples: ['channels export > channels.json'],
    run: async (run: Run): Promise<Outcome> => {
      const api = await run.server();
      if (isFailure(api)) return api;
      const exported = await api.call('exportChannels', {});
      if (isFailure(exported)) return exported;
      run.tell(exported, () => `${jsonOf(exported, 2)}\n`);
      return 0;
    },
  },
  {
    name: 'channels import',
    about: 'Add the channels on standard input, as “channels export” prints them. Those whose name is there already are left alone.',
    examples: ['channels import < channels.json'],
    run: async (run: Run): Promise<Outcome> => {
      const read = ImportChannels.safeParse(parsedJson(await run.host.readStdin()));
      if (!read.success) return fail(EXIT.usage, `These are no channels: ${mistakeIn(read.error)}`);
      const api = await run.server();
      if (isFailure(api)) return api;
      const imported = await api.call('importChannels', { body: read.data });
      if (isFailure(imported)) return imported;
      run.tell(imported, () =>
        table(
          [
            { title: 'NAME', cell: ({ name }) => name },
            { title: 'CHANNEL', cell: ({ channelId, message }) => channelId ?? message },
          ],
          imported.rows,
        ),
      );
      return imported.rows.some(({ channelId }) => channelId === null) ? 1 : 0;
    },
  },
  {
    name: 'channels copy',
    about: 'Add a channel with the same settings and keys, switched off.',
    args: [CHANNEL],
    options: { name: { value: 'NAME', about: 'What to call it.', required: true } },
    examples: ['channels copy chn_0mb2… --name "OpenAI, second"'],
    run: async (run: Run): Promise<Outcome> => {
      const api = await run.server();
      if (isFailure(api)) return api;
      const { name = '' } = run.options;
      const copied = await api.call('copyChannel', { params: { channelId: argument(run, 'channel') }, body: { name } });
      if (isFailure(copied)) return copied;
      run.tell(copied, () => listing([['channel', copied.channelId]]));
      return 0;
    },
  },
  {
    name: 'channels balance',
    about: 'Ask a channel’s upstream what is left of the account behind its first key in use.',
    args: [CHANNEL],
    options: {},
    examples: ['channels balance chn_0mb2…'],
    run: async (run: Run): Promise<Outcome> => {
      const api = await run.server();
      if (isFailure(api)) return api;
      const told = await api.call('askBalance', { params: { channelId: argument(run, 'channel') } });
      if (isFailure(told)) return told;
      run.tell(told, () => `${told.amount} ${told.currency}\n`);
      return 0;
    },
  },
  {
    name: 'channels models',
    about: 'Ask a channel’s upstream which models it has, and how that differs from what the channel maps.',
    args: [CHANNEL],
    options: {
      add: { value: 'LIST', about: 'Map these, by the upstream’s names; “all” is every one that is missing.' },
      'remove-gone': { about: 'Take away mappings that lead to what the upstream does not have.' },
    },
    examples: ['channels models chn_0mb2…', 'channels models chn_0mb2… --add all --remove-gone'],
    run: async (run: Run): Promise<Outcome> => {
      const api = await run.server();
      if (isFailure(api)) return api;
      const params = { channelId: argument(run, 'channel') };
      const found = await api.call('discoverModels', { params });
      if (isFailure(found)) return found;
      const { add } = run.options;
      const wanted = add === 'all' ? found.missing : (wordsOf(add) ?? []);
      const remove = run.switches.has('remove-gone') ? found.gone : [];
      if (wanted.length + remove.length > 0) {
        const applied = await api.call('applyModels', { params, body: { add: wanted, remove } });
        if (isFailure(applied)) return applied;
      }
      run.tell({ ...found, added: wanted, removed: remove }, () =>
        listing([
          ['upstream has', found.models.length],
          ['not mapped', found.missing.join(' ')],
          ['not there any more', found.gone.join(' ')],
          ['added', wanted.join(' ')],
          ['removed', remove.join(' ')],
        ]),
      );
      return 0;
    },
  },
];
