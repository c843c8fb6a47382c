import type { AppendOutcome, StreamAppend } from '../../commands/ports/event-log.ts';
import { isRejection, prepareAppend } from './prepare-append.ts';
import type { PreparedAppend } from './prepare-append.ts';

/** One call to a store may not grow without bound: a batch beyond this goes in several calls, each an atomic write of its own. */
const CALL_LIMITS = { bytes: 16_777_216, events: 5_000 } as const;

interface Call {
  readonly appends: PreparedAppend[];
  readonly places: number[];
  bytes: number;
  events: number;
}

/**
 * Makes the outcomes of a batch: what breaks a limit is rejected here, the rest is written by `write`, in order and in calls of bounded
 * size. `write` answers with one outcome per append.
 */
export const appendInCalls = async (
  batch: readonly StreamAppend[],
  write: (appends: readonly PreparedAppend[]) => Promise<readonly AppendOutcome[]>,
): Promise<readonly AppendOutcome[]> => {
  const outcomes = new Array<AppendOutcome>(batch.length);
  const calls: Call[] = [];
  let call: Call | undefined;
  for (let place = 0; place < batch.length; place++) {
    const prepared = prepareAppend(batch[place] as StreamAppend);
    if (isRejection(prepared)) {
      outcomes[place] = prepared;
      continue;
    }
    if (
      call === undefined ||
      call.bytes + prepared.bytes > CALL_LIMITS.bytes ||
      call.events + prepared.events.length > CALL_LIMITS.events
    ) {
      call = { appends: [], places: [], bytes: 0, events: 0 };
      calls.push(call);
    }
    call.appends.push(prepared);
    call.places.push(place);
    call.bytes += prepared.bytes;
    call.events += prepared.events.length;
  }
  for (const { appends, places } of calls) {
    const made = await write(appends);
    places.forEach((place, i) => (outcomes[place] = made[i] as AppendOutcome));
  }
  return outcomes;
};
