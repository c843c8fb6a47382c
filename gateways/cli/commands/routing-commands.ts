import { RoutingRules } from '../../../schemas/events/routing.ts';
import { SimulateRouting } from '../../../schemas/http/routing.ts';
import type { Command, Outcome, Run } from '../command.ts';
import { EXIT, fail, isFailure } from '../failure.ts';
import { listing, table } from '../render.ts';
import { argument, wordsOf, mistakeIn } from './given.ts';

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

/** What a whole number was written for; `undefined` where it was not given, `null` where it is none. */
const wholeOf = (text: string | undefined): number | null | undefined =>
  text === undefined ? undefined : /^\d{1,7}$/.test(text) ? Number(text) : null;

const parsedJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

export const routingCommands: readonly Command[] = [
  {
    name: 'routing simulate',
    about: 'Show where calls of a model would go, who is passed over, and why. Exit code 1 when nobody can serve one.',
    args: [{ name: 'model', about: 'As a client names it.' }],
    options: {
      group: { value: 'GROUP', about: 'Of the user who calls; “default” unless given.' },
      endpoint: { value: 'NAME', about: 'chat unless given.' },
      needs: { value: 'LIST', about: 'What the call asks of the model, such as tools,vision.' },
      affinity: { value: 'KEY', about: 'What keeps calls together, such as their prompt_cache_key.' },
      strategy: {
        value: 'NAME',
        about: 'weighted, round_robin, least_in_flight, lowest_latency or lowest_cost; as the rules say unless given.',
      },
      draws: { value: 'N', about: 'How many calls; one unless given.' },
      overlap: { value: 'N', about: 'How many of them are in flight at once, beside the first.' },
      without: { value: 'LIST', about: 'Channels (chn_…) to take for failing.' },
      seed: { value: 'N', about: 'Another number draws otherwise.' },
    },
    examples: ['routing simulate gpt-4o', 'routing simulate gpt-4o --draws 100000', 'routing simulate gpt-4o --without chn_0mb2…'],
    run: async (run: Run): Promise<Outcome> => {
      const { group, endpoint, affinity, strategy } = run.options;
      const numbers = {
        draws: wholeOf(run.options['draws']),
        overlap: wholeOf(run.options['overlap']),
        seed: wholeOf(run.options['seed']),
      };
      for (const [name, value] of Object.entries(numbers)) if (value === null) return fail(EXIT.usage, `--${name} takes a whole number.`);
      const asked = SimulateRouting.safeParse({
        model: argument(run, 'model'),
        group,
        endpoint,
        affinity,
        strategy,
        needs: wordsOf(run.options['needs']),
        ...numbers,
        facts: (wordsOf(run.options['without']) ?? []).map((channelId) => ({ channelId, out: true })),
      });
      if (!asked.success) return fail(EXIT.usage, mistakeIn(asked.error));
      const api = await run.server();
      if (isFailure(api)) return api;
      const simulated = await api.call('simulateRouting', { body: asked.data });
      if (isFailure(simulated)) return simulated;
      run.tell(
        simulated,
        () =>
          listing([
            ['model', simulated.model],
            ['strategy', simulated.strategy],
            ['facts of', simulated.factsOf === 'record' ? 'the log' : 'the process that answered'],
          ]) +
          '\n' +
          table(
            [
              { title: 'CHANNEL', cell: ({ channelId }) => channelId },
              { title: 'NAME', cell: ({ name }) => name },
              { title: 'VERDICT', cell: ({ verdict }) => verdict },
              { title: 'ODDS', cell: ({ odds }) => (odds === null ? '' : percent(odds)), right: true },
              { title: 'CALLS', cell: ({ calls }) => calls, right: true },
              { title: 'SHARE', cell: ({ calls }) => percent(calls / simulated.draws), right: true },
              { title: 'PRIORITY', cell: ({ priority }) => priority, right: true },
              { title: 'WEIGHT', cell: ({ weight }) => weight, right: true },
              { title: 'SENT AS', cell: ({ upstreamModel }) => upstreamModel },
            ],
            simulated.considered,
          ) +
          (simulated.unserved > 0 ? `\n${simulated.unserved} of ${simulated.draws} calls find no channel.\n` : ''),
      );
      return simulated.unserved > 0 ? 1 : 0;
    },
  },
  {
    name: 'routing show',
    about: 'Show the rules of routing, the first that fits a call first.',
    examples: ['routing show', 'routing show --json > rules.json'],
    run: async (run: Run): Promise<Outcome> => {
      const api = await run.server();
      if (isFailure(api)) return api;
      const view = await api.call('readRoutingRules', {});
      if (isFailure(view)) return view;
      const { rules } = view;
      run.tell(rules, () =>
        table(
          [
            { title: 'MODELS', cell: ({ models }) => models?.join(' ') ?? 'all' },
            { title: 'GROUPS', cell: ({ groups }) => groups?.join(' ') ?? 'all' },
            { title: 'STRATEGY', cell: ({ strategy }) => strategy },
            { title: 'KEPT TOGETHER BY', cell: ({ affinity }) => affinity.join(' ') },
            { title: 'SECOND AFTER', cell: ({ hedgeMs }) => (hedgeMs === null ? '' : `${hedgeMs} ms`), right: true },
          ],
          rules,
        ),
      );
      return 0;
    },
  },
  {
    name: 'routing set',
    about: 'Replace the rules of routing by those on standard input, in the form that “routing show --json” prints.',
    examples: ['routing set < rules.json'],
    run: async (run: Run): Promise<Outcome> => {
      const rules = RoutingRules.safeParse(parsedJson(await run.host.readStdin()));
      if (!rules.success) return fail(EXIT.usage, `These are no rules: ${mistakeIn(rules.error)}`);
      const api = await run.server();
      if (isFailure(api)) return api;
      const done = await api.call('setRoutingRules', { body: { rules: rules.data } });
      if (isFailure(done)) return done;
      run.tell(done, () => `${rules.data.length} ${rules.data.length === 1 ? 'rule holds' : 'rules hold'} now.\n`);
      return 0;
    },
  },
];
