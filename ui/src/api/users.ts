import type {
  ChangePassword,
  ChangeProfile,
  CreateUser,
  PasswordChanged,
  PasswordReset,
  ProfileView,
  UserCreated,
  UserView,
} from '../../../schemas/http/users.ts';
import type { Done, Wire } from '../../../schemas/http/wire.ts';
import { call, setCsrfToken } from './http.ts';
import type { CapsChange } from './keys.ts';
import type { Page, Paging } from './span.ts';

export type User = Wire<typeof UserView>;
export type NewUser = Wire<typeof CreateUser>;
export type Profile = Wire<typeof ProfileView>;
type Accepted = Wire<typeof Done>;

export interface UserFilter extends Paging {
  readonly search?: string;
  readonly status?: User['status'];
  readonly role?: User['role'];
}

const at = (userId: string, rest = ''): string => `/users/${encodeURIComponent(userId)}${rest}`;

export const listUsers = (filter: UserFilter, signal?: AbortSignal): Promise<Page<User>> =>
  call('GET', '/users', { query: { ...filter }, signal });
export const readUser = (userId: string, signal?: AbortSignal): Promise<User> => call('GET', at(userId), { signal });
export const createUser = (user: NewUser): Promise<Wire<typeof UserCreated>> => call('POST', '/users', { body: user });
export const suspendUser = (userId: string, reason: string, revision: number): Promise<Accepted> =>
  call('POST', at(userId, '/suspend'), { body: { reason }, revision });
export const reinstateUser = (userId: string, revision: number): Promise<Accepted> => call('POST', at(userId, '/reinstate'), { revision });
export const assignRole = (userId: string, role: User['role'], revision: number): Promise<Accepted> =>
  call('PUT', at(userId, '/role'), { body: { role }, revision });
export const assignGroup = (userId: string, group: string, revision: number): Promise<Accepted> =>
  call('PUT', at(userId, '/group'), { body: { group }, revision });
/** @param name See `CallOptions`. */
export const grantCredit = (userId: string, grant: { readonly amount: string; readonly reason: string }, name: string): Promise<Accepted> =>
  call('POST', at(userId, '/credit'), { body: grant, name });
export const setUserCaps = (userId: string, caps: CapsChange): Promise<Accepted> => call('PUT', at(userId, '/caps'), { body: caps });
export const resetPassword = (userId: string): Promise<Wire<typeof PasswordReset>> => call('POST', at(userId, '/password'));

export const readAccount = (signal?: AbortSignal): Promise<Profile> => call('GET', '/account', { signal });
export const changeProfile = (change: Wire<typeof ChangeProfile>): Promise<Accepted> => call('PATCH', '/account', { body: change });
export const changePassword = async (change: Wire<typeof ChangePassword>): Promise<void> => {
  const answer = await call<Wire<typeof PasswordChanged>>('PUT', '/account/password', { body: change });
  setCsrfToken(answer.csrfToken);
};
