import type { Express } from 'express';
import type { Config } from '../../schemas/config.ts';
import type { Role } from '../../schemas/roles.ts';
import type { Services } from '../container/identifiers.ts';

/** What a role is given to work with. */
export interface RoleContext {
  readonly container: Services;
  readonly config: Config;
  readonly version: string;
  /** What this process does. */
  readonly roles: readonly Role[];
  /** The address under which clients reach the server. */
  readonly url: string;
  readonly app: Express;
  /** Aborts when the process ends, once nobody waits for an answer any more. */
  readonly stopping: AbortSignal;
  /** Reasons not to be sent calls; kept up to date. */
  readonly notReady: Set<string>;
  /** To be done when the process ends, the latest first. */
  readonly onClose: (close: () => Promise<unknown> | void) => void;
  /** What tells the program log that something failed and is tried again. */
  readonly failed: (what: string) => (error: unknown) => void;
}
