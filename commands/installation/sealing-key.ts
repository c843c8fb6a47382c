import { decodeEvent } from '../../domain/kernel/event-codec.ts';
import { userStream } from '../../domain/user/user.ts';
import type { UserId } from '../../schemas/ids.ts';
import { keyIdOf } from '../../schemas/sealed.ts';
import type { EventLog } from '../ports/event-log.ts';
import { installationStream } from './initialise.ts';

const administratorOf = async (log: Pick<EventLog, 'readStream'>): Promise<UserId | null> => {
  for await (const recorded of log.readStream(installationStream)) {
    const event = decodeEvent(recorded);
    if (event.type === 'InstallationCompleted') return event.data.administratorId;
  }
  return null;
};

/**
 * The id of the master key that an installation works under: the one that the password of its first administrator was last sealed with. `null` before
 * a first start has ended.
 */
export const sealingKeyOf = async (log: Pick<EventLog, 'readStream'>): Promise<string | null> => {
  const administratorId = await administratorOf(log);
  if (administratorId === null) return null;
  let keyId: string | null = null;
  for await (const recorded of log.readStream(userStream(administratorId))) {
    const event = decodeEvent(recorded);
    if (event.type === 'CredentialsChanged') keyId = keyIdOf(event.data.passwordHash);
  }
  return keyId;
};
