import { randomBytes } from 'node:crypto';
import type { EgressCheck } from '../../../commands/ports/egress-check.ts';
import type { SecretBox } from '../../../commands/ports/secret-box.ts';
import { refuse, type Refusal } from '../../../schemas/errors.ts';
import type { TaskId } from '../../../schemas/ids.ts';
import type { Sealed } from '../../../schemas/sealed.ts';
import { HookAddress, TaskHook } from '../../../schemas/tasks/hook-address.ts';

const contextOf = (taskId: TaskId): string => `task-hook:${taskId}`;

/** Tells hooks from forgeries: nobody but the caller and this installation knows it. */
const SECRET_BYTES = 32;

/**
 * What a request says under the name of a hook, checked; `null` where it says nothing. A name may mean another address by the time the hook is
 * told, so it is judged then again. What is wrong with an address is not said: callers would learn what names there are inside.
 */
export const hookIn = async (
  request: Readonly<Record<string, unknown>>,
  names: readonly string[],
  egress: EgressCheck,
): Promise<{ readonly url: string } | Refusal | null> => {
  const name = names.find((each) => request[each] !== undefined && request[each] !== null && request[each] !== '');
  if (name === undefined) return null;
  const address = HookAddress.safeParse(request[name]);
  if (!address.success)
    return refuse('invalid_request', `${name}: ${address.error.issues[0]?.message ?? 'not an address'}.`, { param: name });
  const blocked = await egress.check(new URL(address.data));
  return blocked === null
    ? { url: address.data }
    : refuse('address_blocked', `${name}: this address cannot be called from here.`, { param: name });
};

/** The request as its upstream may see it: whom a caller wants to be told is none of its business. */
export const withoutHooks = (request: Readonly<Record<string, unknown>>, names: readonly string[]): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(request).filter(([name]) => !names.includes(name)));

/** A hook as it is recorded: addresses of hooks have secrets of their callers' in them. */
export const sealHook = (
  secrets: Pick<SecretBox, 'seal'>,
  taskId: TaskId,
  url: string,
): { readonly sealed: Sealed; readonly secret: string } => {
  const secret = randomBytes(SECRET_BYTES).toString('base64url');
  return { sealed: secrets.seal(JSON.stringify({ url, secret } satisfies TaskHook), contextOf(taskId)), secret };
};

export const openHook = (secrets: Pick<SecretBox, 'open'>, taskId: TaskId, sealed: Sealed): TaskHook =>
  TaskHook.parse(JSON.parse(secrets.open(sealed, contextOf(taskId))));
