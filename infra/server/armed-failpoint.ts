import { NO_FAILPOINTS } from '../../commands/ledger/no-failpoints.ts';
import type { Failpoints } from '../../commands/ports/failpoints.ts';

/** Kills this process, without a chance to clean up, when it comes to the named place for the nth time: `debit.durable:3`. */
export const armedFailpoint = (setting: string | undefined): Failpoints => {
  if (setting === undefined) return NO_FAILPOINTS;
  const [armed, nth] = setting.split(':');
  let left = Number(nth);
  return {
    hit: (name) => {
      if (name === armed && --left === 0) process.kill(process.pid, 'SIGKILL');
    },
  };
};
