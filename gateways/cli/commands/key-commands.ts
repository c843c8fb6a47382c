import { Endpoint } from '../../../schemas/events/token.ts';
import type { Wire } from '../../../schemas/http/wire.ts';
import type { RestrictKey } from '../../../schemas/http/keys.ts';
import type { Command, Outcome, Run } from '../command.ts';
import { EXIT, fail, isFailure } from '../failure.ts';
import { dollarsOf, listing, table } from '../render.ts';
import { argument, instantOf, nanosOf, optional, userIdIn, wordsOf } from './given.ts';

type Endpoints = Wire<typeof RestrictKey>['endpoints'];

const KEY = { name: 'key', about: 'Id of the key (key_…).' } as const;

const changeKey = (name: 'enable' | 'disable' | 'revoke' | 'restore', about: string, said: string): Command => {
  const takesReason = name === 'disable' || name === 'revoke';
  return {
    name: `keys ${name}`,
    about,
    args: [KEY],
    ...(takesReason ? { options: { reason: { value: 'TEXT', about: 'Why, for the record.' } } } : {}),
    examples: [`keys ${name} key_0mb2…`],
    run: async (run: Run) => {
      const api = await run.server();
      if (isFailure(api)) return api;
      const params = { tokenId: argument(run, 'key') };
      const { reason } = run.options;
      const done =
        name === 'disable'
          ? await api.call('disableKey', { params, body: { reason } })
          : name === 'revoke'
            ? await api.call('revokeKey', { params, body: { reason } })
            : await api.call(name === 'enable' ? 'enableKey' : 'restoreKey', { params });
      if (isFailure(done)) return done;
      run.tell({ ...params, ...done }, () => `${params.tokenId} ${said}.\n`);
      return 0;
    },
  };
};

export const keyCommands: readonly Command[] = [
  {
    name: 'keys create',
    about: 'Make an API key for somebody. The key is shown this once.',
    args: [{ name: 'user', about: 'Whose: id (usr_…) or e-mail address.' }],
    options: {
      name: { value: 'NAME', about: 'What to call it.', required: true },
      expires: { value: 'TIME', about: 'When it ends, such as 2027-01-01; never unless given.' },
      models: { value: 'LIST', about: 'Models it is good for, with commas between them.' },
      endpoints: { value: 'LIST', about: `Of ${Endpoint.options.join(', ')}.` },
      addresses: { value: 'LIST', about: 'Addresses or CIDR ranges it may be used from.' },
      day: { value: 'USD', about: 'Most to spend a day.' },
      month: { value: 'USD', about: 'Most to spend a month.' },
      total: { value: 'USD', about: 'Most to spend in all.' },
    },
    examples: [
      'keys create ada@example.com --name laptop',
      'keys create ada@example.com --name batch --models gpt-4o-mini --total 20 --expires 2027-01-01',
    ],
    run: async (run: Run): Promise<Outcome> => {
      const [day, month, total, expiresAt] = [
        optional(run, 'day', nanosOf),
        optional(run, 'month', nanosOf),
        optional(run, 'total', nanosOf),
        optional(run, 'expires', instantOf),
      ];
      for (const value of [day, month, total, expiresAt]) if (isFailure(value)) return value;
      const api = await run.server();
      if (isFailure(api)) return api;
      const userId = await userIdIn(api, argument(run, 'user'));
      if (isFailure(userId)) return userId;
      const { name = '', models, endpoints, addresses } = run.options;
      const made = await api.call('createKey', {
        body: {
          name,
          userId,
          expiresAt: expiresAt as string | undefined,
          restrictions: { models: wordsOf(models), endpoints: wordsOf(endpoints) as Endpoints | undefined, addresses: wordsOf(addresses) },
          caps: { day: day as string | undefined, month: month as string | undefined, total: total as string | undefined },
        },
      });
      if (isFailure(made)) return made;
      run.tell(made, () =>
        listing([
          ['id', made.tokenId],
          ['key', `${made.secret}   (shown this once)`],
        ]),
      );
      return 0;
    },
  },
  {
    name: 'keys list',
    about: 'List API keys, newest first.',
    options: {
      user: { value: 'USER', about: 'Whose; everybody’s unless given.' },
      status: { value: 'STATUS', about: 'active, disabled, revoked, exhausted or expired.' },
      limit: { value: 'N', about: 'At most so many, up to 200; 50 unless given.' },
    },
    examples: ['keys list', 'keys list --user ada@example.com --status active'],
    run: async (run: Run): Promise<Outcome> => {
      const { user, limit, status } = run.options;
      const known = ['active', 'disabled', 'revoked', 'exhausted', 'expired'] as const;
      const wanted = known.find((name) => name === status);
      if (status !== undefined && wanted === undefined) return fail(EXIT.usage, `--status takes ${known.join(', ')}.`);
      const api = await run.server();
      if (isFailure(api)) return api;
      const userId = user === undefined ? undefined : await userIdIn(api, user);
      if (isFailure(userId)) return userId;
      const page = await api.call('listKeys', {
        query: { userId, limit, status: wanted, scope: userId === undefined ? 'all' : undefined },
      });
      if (isFailure(page)) return page;
      run.tell(page.rows, () =>
        table(
          [
            { title: 'ID', cell: ({ tokenId }) => tokenId },
            { title: 'KEY', cell: ({ keyPrefix }) => `${keyPrefix}…` },
            { title: 'NAME', cell: ({ name }) => name },
            { title: 'USER', cell: (key) => key.userId },
            { title: 'STATUS', cell: (key) => key.status },
            { title: 'SPENT', cell: ({ spent }) => dollarsOf(spent.total), right: true },
            { title: 'LAST USED', cell: ({ lastUsedAt }) => lastUsedAt ?? 'never' },
          ],
          page.rows,
        ),
      );
      return 0;
    },
  },
  changeKey('revoke', 'Withdraw a key.', 'is revoked'),
  changeKey('restore', 'Take back a revocation, or reopen an exhausted key.', 'is restored'),
  changeKey('disable', 'Stop a key for the time being.', 'is disabled'),
  changeKey('enable', 'Let a disabled key work again.', 'is enabled'),
];
