import { sealingKeyOf } from '../../commands/installation/sealing-key.ts';
import type { EventLog } from '../../commands/ports/event-log.ts';
import { MasterKeyRefused, type MasterKey } from '../crypto/master-key.ts';

/**
 * Throws where the installation in the log works under another master key than this process has: to it every API key would be an unknown one and no
 * secret would open.
 *
 * @param whence Where this process has its key from, for the message.
 */
export const refuseOtherKey = async (log: Pick<EventLog, 'readStream'>, masterKey: MasterKey, whence: string): Promise<void> => {
  const keyId = await sealingKeyOf(log);
  if (keyId === null || keyId === masterKey.id) return;
  throw new MasterKeyRefused(
    `The installation in this event log works under master key ${keyId}, and ${whence} holds ${masterKey.id}. Put the right one there: every process ` +
      'of an installation needs the same. Where it is lost for good, `oblivious admin reset-password --adopt-key` for the first administrator makes this ' +
      'one the installation’s; API keys and the secrets of channels have to be made anew then.',
  );
};
