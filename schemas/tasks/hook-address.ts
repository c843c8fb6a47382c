import { z } from 'zod';

/** Where a caller wants to be told of a task. */
export const HookAddress = z
  .url({ protocol: /^https?$/, error: 'expected an http or https address', abort: true })
  .max(2_000)
  .refine((address) => {
    const { username, password } = new URL(address);
    return username === '' && password === '';
  }, 'a name and a password have no place in it');

/** The address, and the secret that messages to it are signed under: what is sealed. */
export const TaskHook = z.object({ url: HookAddress, secret: z.string().min(1).max(100) });
export type TaskHook = z.infer<typeof TaskHook>;
