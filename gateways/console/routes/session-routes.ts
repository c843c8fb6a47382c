import * as session from '../../../schemas/http/session.ts';
import type { Route } from '../route.ts';

export const sessionRoutes = {
  readSession: {
    method: 'get',
    path: '/session',
    auth: 'public',
    tag: 'Session',
    summary: 'Who is signed in, and the token for calls that change something.',
    answer: 'json',
    response: session.SessionView,
  },
  signIn: {
    method: 'post',
    path: '/session',
    auth: 'public',
    tag: 'Session',
    summary: 'Sign in; sets the session cookie.',
    body: session.SignIn,
    answer: 'json',
    response: session.SessionView,
  },
  signOut: {
    method: 'delete',
    path: '/session',
    auth: 'user',
    tag: 'Session',
    summary: 'Sign out here.',
    answer: 'json',
    response: session.SessionView,
  },
} as const satisfies Record<string, Route>;
