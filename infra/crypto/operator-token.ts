import type { MasterKey } from './master-key.ts';

/** Opens the console's API to whoever can read the data directory. The same for as long as the master key is. */
export const operatorToken = (master: MasterKey): string => `ob-operator-${master.derive('operator token').toString('base64url')}`;
