import type { Role } from '../../../schemas/events/user.ts';
import type { Command, Outcome, Run } from '../command.ts';
import { EXIT, fail, isFailure } from '../failure.ts';
import { dollarsOf, listing, table } from '../render.ts';
import { argument, nanosOf, userIdIn } from './given.ts';

const USER = { name: 'user', about: 'Id (usr_…) or e-mail address.' } as const;

const roleOf = (text: string | undefined): Role | undefined | null =>
  text === undefined ? undefined : text === 'admin' || text === 'user' ? text : null;

export const userCommands: readonly Command[] = [
  {
    name: 'users create',
    about: 'Register somebody and open their account. The password is made unless it is given on standard input.',
    args: [{ name: 'email', about: 'Address to sign in with.' }],
    options: {
      name: { value: 'NAME', about: 'Name to show; the address unless given.' },
      role: { value: 'ROLE', about: 'user or admin; user unless given.' },
      group: { value: 'GROUP', about: 'Price and channel group; default unless given.' },
      'time-zone': { value: 'ZONE', about: 'Zone in which days and months of caps begin, such as Asia/Shanghai; UTC unless given.' },
      'password-stdin': { about: 'Read the password from standard input.' },
    },
    examples: [
      'users create ada@example.com --name "Ada Lovelace"',
      'users create ops@example.com --role admin --json',
      'users create bob@example.com --password-stdin < password.txt',
    ],
    run: async (run: Run): Promise<Outcome> => {
      const role = roleOf(run.options.role);
      if (role === null) return fail(EXIT.usage, '--role takes user or admin.');
      const api = await run.server();
      if (isFailure(api)) return api;
      const email = argument(run, 'email');
      const { name = email, group, 'time-zone': timeZone } = run.options;
      const password = run.switches.has('password-stdin') ? (await run.host.readStdin()).replace(/\r?\n$/, '') : undefined;
      const made = await api.call('createUser', { body: { email, displayName: name, role, group, timeZone, password } });
      if (isFailure(made)) return made;
      run.tell(made, () =>
        listing([
          ['user', made.userId],
          ['email', email],
          ...(made.password === null ? [] : [['password', `${made.password}   (shown this once)`] as const]),
        ]),
      );
      return 0;
    },
  },
  {
    name: 'users list',
    about: 'List people, newest first.',
    options: {
      search: { value: 'TEXT', about: 'Part of a name or address.' },
      role: { value: 'ROLE', about: 'user or admin.' },
      status: { value: 'STATUS', about: 'active or suspended.' },
      limit: { value: 'N', about: 'At most so many, up to 200; 50 unless given.' },
    },
    examples: ['users list', 'users list --status suspended --json'],
    run: async (run: Run): Promise<Outcome> => {
      const { search, limit, status } = run.options;
      const role = roleOf(run.options.role);
      if (role === null) return fail(EXIT.usage, '--role takes user or admin.');
      if (status !== undefined && status !== 'active' && status !== 'suspended')
        return fail(EXIT.usage, '--status takes active or suspended.');
      const api = await run.server();
      if (isFailure(api)) return api;
      const page = await api.call('listUsers', { query: { search, limit, role, status } });
      if (isFailure(page)) return page;
      run.tell(page.rows, () =>
        table(
          [
            { title: 'USER', cell: ({ userId }) => userId },
            { title: 'EMAIL', cell: ({ email }) => email },
            { title: 'ROLE', cell: (user) => user.role },
            { title: 'GROUP', cell: ({ group }) => group },
            { title: 'STATUS', cell: (user) => user.status },
            { title: 'BALANCE', cell: ({ balance }) => dollarsOf(balance), right: true },
            { title: 'SPENT', cell: ({ spentTotal }) => dollarsOf(spentTotal), right: true },
          ],
          page.rows,
        ),
      );
      return 0;
    },
  },
  {
    name: 'users suspend',
    about: 'Stop a person and all their keys.',
    args: [USER],
    options: { reason: { value: 'TEXT', about: 'Why, for the record.' } },
    examples: ['users suspend ada@example.com --reason "unpaid"'],
    run: async (run: Run): Promise<Outcome> => {
      const api = await run.server();
      if (isFailure(api)) return api;
      const userId = await userIdIn(api, argument(run, 'user'));
      if (isFailure(userId)) return userId;
      const done = await api.call('suspendUser', { params: { userId }, body: { reason: run.options.reason } });
      if (isFailure(done)) return done;
      run.tell({ userId, ...done }, () => `${userId} is suspended.\n`);
      return 0;
    },
  },
  {
    name: 'users reinstate',
    about: 'Take back a suspension.',
    args: [USER],
    examples: ['users reinstate ada@example.com'],
    run: async (run: Run): Promise<Outcome> => {
      const api = await run.server();
      if (isFailure(api)) return api;
      const userId = await userIdIn(api, argument(run, 'user'));
      if (isFailure(userId)) return userId;
      const done = await api.call('reinstateUser', { params: { userId } });
      if (isFailure(done)) return done;
      run.tell({ userId, ...done }, () => `${userId} may go on.\n`);
      return 0;
    },
  },
  {
    name: 'credit grant',
    about: 'Give somebody credit.',
    args: [USER, { name: 'dollars', about: 'How much, in US dollars.' }],
    options: { reason: { value: 'TEXT', about: 'Why, for the record.', required: true } },
    examples: ['credit grant ada@example.com 25 --reason "invoice 1017"'],
    run: async (run: Run): Promise<Outcome> => {
      const amount = nanosOf(argument(run, 'dollars'));
      if (isFailure(amount)) return amount;
      const api = await run.server();
      if (isFailure(api)) return api;
      const userId = await userIdIn(api, argument(run, 'user'));
      if (isFailure(userId)) return userId;
      const done = await api.call('grantCredit', { params: { userId }, body: { amount, reason: run.options.reason ?? '' } });
      if (isFailure(done)) return done;
      run.tell({ userId, amount, ...done }, () => `${userId} has ${dollarsOf(amount)} more.\n`);
      return 0;
    },
  },
];
