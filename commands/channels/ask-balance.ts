import type { ReportedBalance } from '../../domain/providers/reported-balance.ts';
import { isRefusal, refuse, type Refusal } from '../../schemas/errors.ts';
import type { ChannelId } from '../../schemas/ids.ts';
import type { CommandLog } from '../command-log.ts';
import type { BalanceAsker } from '../ports/balance-asker.ts';
import type { SecretBox } from '../ports/secret-box.ts';
import { channelToAsk } from './channel-to-ask.ts';

/** Asks the channel's upstream what is left of the account of its first key in use. Nothing is put on record. */
export const askBalance = async (
  deps: Pick<CommandLog, 'log'> & { readonly balances: BalanceAsker; readonly secretBox: SecretBox },
  channelId: ChannelId,
): Promise<ReportedBalance | Refusal> => {
  const channel = await channelToAsk(deps, channelId);
  if (isRefusal(channel)) return channel;
  const told = await deps.balances.ask(channel.settings, channel.credential);
  return 'failed' in told ? refuse('upstream_failed', `The upstream did not tell its balance: ${told.failed}`) : told;
};
