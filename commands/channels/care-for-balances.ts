import { dueBalances, type ChannelWithAccount } from '../../domain/channel/due-balances.ts';
import { isRefusal, type Refusal } from '../../schemas/errors.ts';
import type { ChannelId } from '../../schemas/ids.ts';
import type { CommandLog } from '../command-log.ts';
import { platformContext } from '../platform-context.ts';
import type { BalanceAsker } from '../ports/balance-asker.ts';
import type { Clock } from '../ports/clock.ts';
import type { IdSource } from '../ports/id-source.ts';
import type { SecretBox } from '../ports/secret-box.ts';
import { askBalance } from './ask-balance.ts';
import { claimTurn } from './claim-turn.ts';
import { runChannelCommand } from './run-channel-command.ts';

export interface BalanceCareDeps extends CommandLog {
  readonly balances: BalanceAsker;
  readonly secretBox: SecretBox;
  readonly clock: Clock;
  readonly ids: IdSource;
}

/** What came of one round. */
export interface BalanceCareReport {
  readonly asked: number;
  readonly refused: readonly { readonly channelId: ChannelId; readonly refusal: Refusal }[];
}

const CARE = 'balance-care';

/** Asks providers what is left, each by one process of all that run this, and puts on record what is new. */
export class BalanceCare {
  readonly #deps: BalanceCareDeps;
  /** Slots that this process knows to be somebody's: so that the log is not asked again for what it has answered. */
  readonly #taken = new Map<ChannelId, number>();

  constructor(deps: BalanceCareDeps) {
    this.#deps = deps;
  }

  async round(channels: readonly ChannelWithAccount[]): Promise<BalanceCareReport> {
    let asked = 0;
    const refused: { readonly channelId: ChannelId; readonly refusal: Refusal }[] = [];
    for (const { channelId, slot } of dueBalances(channels, this.#deps.clock.now())) {
      if (this.#taken.get(channelId) === slot) continue;
      const mine = await claimTurn(this.#deps, CARE, `${channelId} ${slot}`);
      if (!isRefusal(mine)) this.#taken.set(channelId, slot);
      const refusal = isRefusal(mine) ? mine : mine ? await this.#ask(channelId) : null;
      if (mine === true) asked++;
      if (refusal !== null) refused.push({ channelId, refusal });
    }
    return { asked, refused };
  }

  async #ask(channelId: ChannelId): Promise<Refusal | null> {
    const balance = await askBalance(this.#deps, channelId);
    if (isRefusal(balance)) return balance;
    const { ids, clock } = this.#deps;
    const done = await runChannelCommand(this.#deps, channelId, { kind: 'reportBalance', balance }, platformContext(ids, clock, CARE));
    return isRefusal(done) ? done : null;
  }
}
