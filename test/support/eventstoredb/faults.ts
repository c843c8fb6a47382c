/**
 * What befalls the next append: the connection is cut, the call ends without a word or with an error, or no answer comes, before or after
 * it was written; or the node says that it is not the leader.
 */
export type AppendFault =
  'cut-before' | 'cut-after' | 'end-before' | 'error-before' | 'silent-before' | 'silent-after' | 'not-leader' | 'refused';

/** Faults that strike once, in the order in which they were armed, and conditions that last. */
export class Faults {
  readonly #appends: AppendFault[] = [];
  /** Every answer waits for so long, in ms. */
  answerDelayMs = 0;
  /** Reads and subscriptions are taken and never answered. */
  silentReads = false;
  /** Subscriptions, also those there are, hear of nothing new. */
  silentSubscriptions = false;

  armAppend(fault: AppendFault): void {
    this.#appends.push(fault);
  }

  takeAppend(): AppendFault | undefined {
    return this.#appends.shift();
  }
}
