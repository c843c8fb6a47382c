import { expect } from 'chai';
import { fold, type Decider } from '../../domain/kernel/decider.ts';
import { isRefusal, type ErrorCode } from '../../schemas/errors.ts';
import { decodeEvent, encodeEvent } from '../../domain/kernel/event-codec.ts';
import type { DomainEvent } from '../../schemas/events/catalogue.ts';

interface Outcome<State, Event> {
  /** Exactly these events, which survive a trip through their stored form. */
  then(...events: readonly Event[]): void;
  refuses(code: ErrorCode): void;
  changesNothing(): void;
  /** The state after the events that were decided. */
  leaves(check: (state: State) => void): void;
}

interface Given<State, Command, Event> {
  when(command: Command): Outcome<State, Event>;
}

/** Given what has happened, when a command comes, then these events follow. */
export const given = <State, Command, Event extends DomainEvent>(
  decider: Decider<State, Command, Event>,
  ...history: readonly Event[]
): Given<State, Command, Event> => ({
  when: (command) => {
    const state = fold(decider, history);
    const decided = decider.decide(command, state);
    return {
      then: (...events) => {
        expect(decided).to.deep.equal(events);
        for (const event of events) expect(decodeEvent(encodeEvent(event))).to.deep.equal(event);
      },
      refuses: (code) => {
        if (!isRefusal(decided))
          expect.fail(`expected a refusal with ${code}, got ${decided.map(({ type }) => type).join(', ') || 'no events'}`);
        expect(decided.refused).to.equal(code);
      },
      changesNothing: () => expect(decided).to.deep.equal([]),
      leaves: (check) => {
        if (isRefusal(decided)) expect.fail(`refused: ${decided.message}`);
        check(decided.reduce(decider.evolve, state));
      },
    };
  },
});
