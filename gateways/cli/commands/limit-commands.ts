import { toDollarText } from '../../../domain/ledger/money.ts';
import { LimitPolicy, type LimitRule } from '../../../schemas/limits.ts';
import type { Command, Outcome, Run } from '../command.ts';
import { EXIT, fail, isFailure } from '../failure.ts';
import { table } from '../render.ts';
import { mistakeIn } from './given.ts';

const amountText = (rule: LimitRule): string =>
  rule.measure === 'money' ? `$${toDollarText(rule.amount)}` : `${rule.amount.toLocaleString('en')} ${rule.measure}`;

const tableOf = ({ rules, whenStoreAway }: LimitPolicy): string =>
  rules.length === 0
    ? 'There are no limits besides those of the configuration.\n'
    : `${table(
        [
          { title: 'RULE', cell: ({ id }: LimitRule) => id },
          { title: 'STATE', cell: ({ enabled }) => (enabled ? 'on' : 'off') },
          { title: 'LIMIT', cell: (rule) => (rule.measure === 'inFlight' ? amountText(rule) : `${amountText(rule)} a ${rule.window}`) },
          { title: 'FOR EACH', cell: ({ per }) => (per.length === 0 ? 'all together' : per.join(' and ')) },
          {
            title: 'ONLY',
            cell: ({ scope }) =>
              Object.entries(scope)
                .map(([of, names]) => `${of}: ${names.join(', ')}`)
                .join('; '),
          },
          { title: 'THEN', cell: ({ action }) => (action.kind === 'model' ? `served by ${action.model}` : action.kind) },
        ],
        rules,
      )}While Redis is away: ${whenStoreAway === 'refuse' ? 'calls with limits are refused' : 'each process counts for itself'}.\n`;

const EXAMPLE =
  '{"rules":[{"id":"free-tokens","name":"Free tier","per":["user"],"scope":{"groups":["free"]},"measure":"tokens","amount":20000,"window":"minute"}],"whenStoreAway":"perProcess"}';

export const limitCommands: readonly Command[] = [
  {
    name: 'limits show',
    about: 'Show the rules of limits: who may use how much of what, in how long.',
    examples: ['limits show', 'limits show --json > limits.json'],
    run: async (run: Run): Promise<Outcome> => {
      const api = await run.server();
      if (isFailure(api)) return api;
      const view = await api.call('readLimits', {});
      if (isFailure(view)) return view;
      run.tell(view.policy, () => tableOf(LimitPolicy.parse(view.policy)));
      return 0;
    },
  },
  {
    name: 'limits set',
    about:
      'Set all rules of limits at once, from JSON on standard input as `limits show --json` prints it. Rules that are left out are gone.',
    examples: ['limits set < limits.json', `echo '${EXAMPLE}' | oblivious limits set`],
    run: async (run: Run): Promise<Outcome> => {
      const api = await run.server();
      if (isFailure(api)) return api;
      let given: unknown;
      try {
        given = JSON.parse(await run.host.readStdin());
      } catch (error) {
        return fail(EXIT.usage, `What came on standard input is not JSON: ${error instanceof Error ? error.message : String(error)}`);
      }
      const policy = LimitPolicy.safeParse(given);
      if (!policy.success) return fail(EXIT.usage, `These are no rules of limits: ${mistakeIn(policy.error)}`);
      const set = await api.call('setLimits', { body: LimitPolicy.encode(policy.data) });
      if (isFailure(set)) return set;
      run.tell(set, () => tableOf(policy.data));
      return 0;
    },
  },
];
