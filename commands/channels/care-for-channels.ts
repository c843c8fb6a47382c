import { dueTests, RECOVERY_MS, type ChannelInCare } from '../../domain/channel/due-tests.ts';
import { isRefusal, type Refusal } from '../../schemas/errors.ts';
import type { ChannelId } from '../../schemas/ids.ts';
import type { CommandLog } from '../command-log.ts';
import { platformContext } from '../platform-context.ts';
import type { ChannelProbe } from '../ports/channel-probe.ts';
import type { Clock } from '../ports/clock.ts';
import type { IdSource } from '../ports/id-source.ts';
import type { SecretBox } from '../ports/secret-box.ts';
import { claimTurn } from './claim-turn.ts';
import { runChannelCommand } from './run-channel-command.ts';
import { testChannel } from './test-channel.ts';

export interface ChannelCareDeps extends CommandLog {
  readonly probe: ChannelProbe;
  readonly secretBox: SecretBox;
  readonly clock: Clock;
  readonly ids: IdSource;
}

/** What came of one round. */
export interface ChannelCareReport {
  readonly tested: number;
  readonly recovered: readonly ChannelId[];
  readonly refused: readonly Refusal[];
}

/** Tries what is due, each by one process of all that run this, and puts back what the platform took off and what works again. */
export const careForChannels = async (deps: ChannelCareDeps, channels: readonly ChannelInCare[]): Promise<ChannelCareReport> => {
  let tested = 0;
  const recovered: ChannelId[] = [];
  const refused: Refusal[] = [];
  const now = deps.clock.now();
  const due = channels.flatMap((channel) => {
    // Half the time between two tests, so that those of one round never fall into the slot of the round before.
    const slotMs = Math.min(RECOVERY_MS, (channel.settings.testEveryMinutes ?? Infinity) * 60_000) / 2;
    return dueTests(channel, now).map((test) => ({ test, slot: Math.floor(now / slotMs) }));
  });
  for (const { test, slot } of due) {
    const { channelId, keyId } = test;
    const mine = await claimTurn(deps, 'channel-care', `${channelId} ${keyId ?? ''} ${slot}`);
    if (isRefusal(mine)) refused.push(mine);
    if (mine !== true) continue;
    const context = platformContext(deps.ids, deps.clock, 'channel-care');
    const outcome = await testChannel(deps, { channelId, ...(keyId === null ? {} : { keyId }) }, context);
    if (isRefusal(outcome)) {
      refused.push(outcome);
      continue;
    }
    tested++;
    if (!outcome.ok) continue;
    const back = await runChannelCommand(
      deps,
      channelId,
      { kind: 'recover', keyId },
      platformContext(deps.ids, deps.clock, 'channel-care'),
    );
    if (isRefusal(back)) refused.push(back);
    else if (back.position !== null) recovered.push(channelId);
  }
  return { tested, recovered, refused };
};
