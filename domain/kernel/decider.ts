import type { Refusal } from '../../schemas/errors.ts';

/**
 * A pure decision-maker over one stream. `evolve` folds what has happened and never fails: a recorded fact is not up for
 * debate. `decide` answers a command with the events that it causes (none: it was done already), or with a refusal.
 */
export interface Decider<State, Command, Event> {
  readonly initial: State;
  readonly evolve: (state: State, event: Event) => State;
  readonly decide: (command: Command, state: State) => readonly Event[] | Refusal;
}

/** The state after these events. */
export const fold = <State, Event>(decider: Pick<Decider<State, never, Event>, 'initial' | 'evolve'>, events: Iterable<Event>): State => {
  let state = decider.initial;
  for (const event of events) state = decider.evolve(state, event);
  return state;
};
