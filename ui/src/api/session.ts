import type { SessionView, SignedInUser, SignIn } from '../../../schemas/http/session.ts';
import type { Wire } from '../../../schemas/http/wire.ts';
import { call, setCsrfToken } from './http.ts';

export type Session = Wire<typeof SessionView>;
export type SessionUser = Wire<typeof SignedInUser>;

const keepToken = (session: Session): Session => {
  setCsrfToken(session.signedIn ? session.csrfToken : null);
  return session;
};

export const readSession = async (): Promise<Session> => keepToken(await call<Session>('GET', '/session'));
export const signIn = async (credentials: Wire<typeof SignIn>): Promise<Session> =>
  keepToken(await call<Session>('POST', '/session', { body: credentials }));
export const signOut = async (): Promise<Session> => keepToken(await call<Session>('DELETE', '/session'));
