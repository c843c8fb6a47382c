import type { BodyRoom } from './bodies/body-room.ts';
import type { ChannelSecrets } from './channel-secrets.ts';
import type { RelayDeps } from './relay-deps.ts';
import type { Watch } from './watch.ts';

export interface AttemptDeps extends RelayDeps {
  readonly watch: Watch;
  readonly channelSecrets: ChannelSecrets;
  readonly bodies: BodyRoom;
  /** Retries that this process may still make, shared by all calls. */
  readonly retries: { saved: number };
}
