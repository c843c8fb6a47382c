import { channelOf, channelStream } from '../../domain/channel/channel.ts';
import type { ReportedBalance } from '../../domain/providers/reported-balance.ts';
import { refuse, type Refusal } from '../../schemas/errors.ts';
import type { ChannelId } from '../../schemas/ids.ts';
import type { CommandLog } from '../command-log.ts';
import type { BalanceAsker } from '../ports/balance-asker.ts';
import type { SecretBox } from '../ports/secret-box.ts';
import { readState } from '../read-state.ts';
import { channelKeyContext } from './channel-secrets.ts';

/** Asks the channel's upstream what is left of the account of its first key in use. Nothing is put on record. */
export const askBalance = async (
  deps: Pick<CommandLog, 'log'> & { readonly balances: BalanceAsker; readonly secretBox: SecretBox },
  channelId: ChannelId,
): Promise<ReportedBalance | Refusal> => {
  const { settings, keys } = await readState(deps.log, channelStream(channelId), channelOf(channelId));
  if (settings === null) return refuse('not_found', 'There is no such channel.');
  const usable = [...keys].find(([, { enabled }]) => enabled);
  if (usable === undefined && keys.size > 0)
    return refuse('wrong_state', 'Every key of the channel is disabled. Restore one or add another.');
  const credential = usable === undefined ? null : deps.secretBox.open(usable[1].secret, channelKeyContext(usable[0]));
  const told = await deps.balances.ask(settings, credential);
  return 'failed' in told ? refuse('upstream_failed', `The upstream did not tell its balance: ${told.failed}`) : told;
};
