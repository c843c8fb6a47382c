import { runChannelCommand } from '../../commands/channels/run-channel-command.ts';
import type { DirectChannelCommand } from '../../commands/channels/run-channel-command.ts';
import type { CommandLog } from '../../commands/command-log.ts';
import { platformContext } from '../../commands/platform-context.ts';
import type { Clock } from '../../commands/ports/clock.ts';
import type { IdSource } from '../../commands/ports/id-source.ts';
import { runTokenCommand } from '../../commands/tokens/run-token-command.ts';
import type { ChannelHealthObserver } from '../../gateways/ports/channel-health.ts';
import { isRefusal } from '../../schemas/errors.ts';
import type { ChannelId, TokenId } from '../../schemas/ids.ts';
import type { ProgramLog } from '../logging/logger.ts';

export interface RecordingDeps extends CommandLog {
  readonly ids: IdSource;
  readonly clock: Clock;
  readonly programLog: ProgramLog;
}

const onChannel = async (deps: RecordingDeps, channelId: ChannelId, command: DirectChannelCommand): Promise<void> => {
  const answer = await runChannelCommand(deps, channelId, command, platformContext(deps.ids, deps.clock, 'relay'));
  if (isRefusal(answer))
    deps.programLog.warn('a change of a channel could not be recorded', { channelId, command: command.kind, refused: answer.refused });
};

/** Makes facts of what the relay sees of its upstreams. The relay does not wait for it. */
export const recordHealth = (deps: RecordingDeps): ChannelHealthObserver => ({
  healthChanged: (channelId, _from, to, reason) => void onChannel(deps, channelId, { kind: 'changeHealth', to, reason }),
  keyRefused: (channelId, keyId, reason) => void onChannel(deps, channelId, { kind: 'disableKey', keyId, by: 'platform', reason }),
  modelHealthChanged: (channelId, model, to, reason) => void onChannel(deps, channelId, { kind: 'changeModelHealth', model, to, reason }),
  channelRefused: (channelId, reason) => void onChannel(deps, channelId, { kind: 'disable', by: 'platform', reason }),
});

/** Marks a key whose quota is spent, so that its calls are turned away at the door. */
export const recordExhaustion =
  (deps: RecordingDeps) =>
  (tokenId: TokenId): void =>
    void runTokenCommand(deps, tokenId, { kind: 'exhaust' }, platformContext(deps.ids, deps.clock, 'relay')).then((answer) => {
      if (isRefusal(answer)) deps.programLog.warn('a key’s exhaustion could not be recorded', { tokenId, refused: answer.refused });
    });
