/** Where to go after signing in: only a path of this console, since an address in the query must not lead out of it. */
export const safeNext = (next: unknown): string =>
  typeof next === 'string' && /^\/(?![/\\])/.test(next) && !next.startsWith('/sign-in') ? next : '/';
