import { Conversations } from '../../commands/responses/conversations.ts';
import { KeptResponses } from '../../commands/responses/kept-responses.ts';
import type { CommandLog } from '../../commands/command-log.ts';
import type { SecretBox } from '../../commands/ports/secret-box.ts';
import type { Archive } from '../../gateways/relay/responses/archive.ts';
import type { Config } from '../../schemas/config.ts';
import { systemClock } from '../clock.ts';
import { contentVault } from './content-vault.ts';
import { postgresContentKeys } from './postgres-keys.ts';
import { sqliteContentKeys } from './sqlite-keys.ts';

const DAY_MS = 86_400_000;
const CONNECTIONS = 2;

export interface OpenedArchive {
  readonly archive: Archive;
  /** Destroys the keys of what has been kept for long enough. */
  expire(): Promise<void>;
  close(): Promise<void>;
}

export interface OpenArchiveOptions extends CommandLog {
  readonly config: Pick<Config, 'DATABASE_URL' | 'OBLIVIOUS_KEEP_RESPONSES_DAYS'>;
  /** For the embedded profile. */
  readonly contentKeyFile: string;
  readonly secretBox: SecretBox;
}

/** What the relay keeps for its callers: ciphertext in the log, keys beside it. */
export const openArchive = ({ config, contentKeyFile, secretBox, log, appender }: OpenArchiveOptions): OpenedArchive => {
  const keys =
    config.DATABASE_URL === undefined ? sqliteContentKeys(contentKeyFile) : postgresContentKeys(config.DATABASE_URL, CONNECTIONS);
  const deps = {
    log,
    appender,
    vault: contentVault(keys, secretBox, systemClock),
    clock: systemClock,
    keepMs: config.OBLIVIOUS_KEEP_RESPONSES_DAYS * DAY_MS,
  };
  return {
    archive: { responses: new KeptResponses(deps), conversations: new Conversations(deps) },
    expire: () => keys.removeExpired(systemClock.now()),
    close: () => keys.close(),
  };
};
