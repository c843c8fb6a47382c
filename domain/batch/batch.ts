import { refuse, type Refusal } from '../../schemas/errors.ts';
import type { BatchEvent } from '../../schemas/events/catalogue.ts';
import type { BatchId, StreamName } from '../../schemas/ids.ts';
import type { Money } from '../../schemas/money.ts';
import type { Decider } from '../kernel/decider.ts';
import { streamName } from '../kernel/stream-name.ts';

export const batchStream = (batchId: BatchId): StreamName => streamName('batch', batchId);

type DataOf<T extends BatchEvent['type']> = Extract<BatchEvent, { readonly type: T }>['data'];

/** What has happened to a batch so far; `null`: not yet. */
export interface Batch {
  readonly submitted: DataOf<'BatchSubmitted'> | null;
  readonly started: DataOf<'BatchStarted'> | null;
  readonly ended: DataOf<'BatchEnded'> | null;
  readonly measured: DataOf<'BatchMeasured'> | null;
  readonly settled: DataOf<'BatchSettled'> | null;
  readonly deleted: boolean;
}

const initial: Batch = { submitted: null, started: null, ended: null, measured: null, settled: null, deleted: false };

const evolve = (state: Batch, event: BatchEvent): Batch => {
  switch (event.type) {
    case 'BatchSubmitted':
      return { ...initial, submitted: event.data };
    case 'BatchStarted':
      return { ...state, started: event.data };
    case 'BatchEnded':
      return { ...state, ended: event.data };
    case 'BatchMeasured':
      return { ...state, measured: event.data };
    case 'BatchSettled':
      return { ...state, settled: event.data };
    case 'BatchDeleted':
      return { ...state, deleted: true };
  }
};

export type BatchCommand =
  | { readonly kind: 'submit'; readonly submission: DataOf<'BatchSubmitted'> }
  | { readonly kind: 'start'; readonly start: DataOf<'BatchStarted'> }
  | { readonly kind: 'end'; readonly end: DataOf<'BatchEnded'> }
  | { readonly kind: 'measure'; readonly measure: Omit<DataOf<'BatchMeasured'>, 'refund'> }
  /** `at`: ISO 8601. */
  | { readonly kind: 'settle'; readonly refunded: Money; readonly at: string }
  | { readonly kind: 'delete'; readonly at: string };

/** What the caller paid, or may have paid where nobody came to say so. */
const paid = ({ submitted, started }: Batch): Money => started?.charged ?? submitted?.held ?? (0n as Money);

const decide = (command: BatchCommand, state: Batch, batchId: BatchId): readonly BatchEvent[] | Refusal => {
  if (command.kind === 'submit')
    return state.submitted === null ? [{ type: 'BatchSubmitted', data: command.submission }] : refuse('already_exists');
  if (state.submitted === null) return refuse('not_found', 'There is no such batch.');
  switch (command.kind) {
    case 'start':
      if (state.ended !== null) return refuse('wrong_state', 'The batch has been given up.');
      return state.started === null ? [{ type: 'BatchStarted', data: command.start }] : [];
    case 'end':
      // What is said twice, by two who looked at the same time, is said once.
      return state.ended === null ? [{ type: 'BatchEnded', data: command.end }] : [];
    case 'measure': {
      if (state.ended === null) return refuse('wrong_state', 'The batch has not ended yet.');
      if (state.measured !== null) return [];
      const most = paid(state);
      const refund = (command.measure.cost < most ? most - command.measure.cost : 0n) as Money;
      return [{ type: 'BatchMeasured', data: { ...command.measure, refund } }];
    }
    case 'settle':
      if (state.measured === null) return refuse('wrong_state', 'It is not known yet what the batch used.');
      if (command.refunded > state.measured.refund) return refuse('exceeds_charge');
      return state.settled === null ? [{ type: 'BatchSettled', data: { batchId, refunded: command.refunded, at: command.at } }] : [];
    case 'delete':
      // Until then what it used may still have to be read.
      if (state.settled === null) return refuse('wrong_state', 'The batch is not settled yet; try again in a moment.');
      return state.deleted ? [] : [{ type: 'BatchDeleted', data: { batchId, at: command.at } }];
  }
};

/** Requests that an upstream answers within a day: charged at their worst when they are handed in, and paid back what was too much once they are done. */
export const batchOf = (batchId: BatchId): Decider<Batch, BatchCommand, BatchEvent> => ({
  initial,
  evolve,
  decide: (command, state) => decide(command, state, batchId),
});
