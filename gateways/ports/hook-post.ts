import type { TaskHook } from '../../schemas/tasks/hook-address.ts';

/** Tells callers of their tasks, where they asked for it. */
export interface HookPost {
  /**
   * Posts a JSON text, signed under the hook's secret. `id` is the same however often the same thing is sent. Resolves with `taken`, with
   * `gone` when the receiver says that nobody wants it any more, or with what went wrong, in words that have nothing of the address in them.
   */
  send(hook: TaskHook, id: string, body: string, signal: AbortSignal): Promise<'taken' | 'gone' | { readonly failure: string }>;
}
