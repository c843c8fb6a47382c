import { z } from 'zod';
import * as users from '../../../schemas/http/users.ts';
import { AfterQuery, Done } from '../../../schemas/http/wire.ts';
import type { Route } from '../route.ts';

const OneQuery = z.object(AfterQuery);

export const accountRoutes = {
  readAccount: {
    method: 'get',
    path: '/account',
    auth: 'user',
    tag: 'Account',
    summary: 'Your profile, balance and caps.',
    query: OneQuery,
    answer: 'json',
    response: users.ProfileView,
  },
  changeProfile: {
    method: 'patch',
    path: '/account',
    auth: 'user',
    tag: 'Account',
    summary: 'Change your name or e-mail address.',
    body: users.ChangeProfile,
    answer: 'json',
    response: Done,
  },
  changePassword: {
    method: 'put',
    path: '/account/password',
    auth: 'user',
    tag: 'Account',
    summary: 'Change your password; ends your other sessions.',
    body: users.ChangePassword,
    answer: 'json',
    response: users.PasswordChanged,
  },
} as const satisfies Record<string, Route>;
