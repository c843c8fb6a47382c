import { Conversations } from '../../../commands/responses/conversations.ts';
import { KeptResponses } from '../../../commands/responses/kept-responses.ts';
import type { Archive } from '../../../gateways/relay/responses/archive.ts';
import { memoryLog, type MemoryLog } from '../../support/memory-log.ts';
import { memoryVault, type MemoryVault } from '../../support/memory-vault.ts';

export interface MemoryArchive {
  readonly archive: Archive;
  readonly log: MemoryLog;
  readonly keys: MemoryVault;
}

/** What callers may ask for again, as long as the test lives. */
export const memoryArchive = (): MemoryArchive => {
  const log = memoryLog();
  const keys = memoryVault();
  const deps = {
    log,
    appender: {
      append: async (append: Parameters<MemoryLog['append']>[0][number]) => {
        const [outcome] = await log.append([append]);
        if (outcome === undefined) throw new Error('no outcome');
        return outcome;
      },
    },
    vault: keys.vault,
    clock: { now: () => Date.now() },
    keepMs: 60_000,
  };
  return { archive: { responses: new KeptResponses(deps), conversations: new Conversations(deps) }, log, keys };
};
