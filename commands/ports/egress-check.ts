import type { Refusal } from '../../schemas/errors.ts';

/** Whether an address that somebody entered may be called from here; `null` when it may. */
export interface EgressCheck {
  check(url: URL): Promise<Refusal | null>;
}
