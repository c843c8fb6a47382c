import type { Refusal } from '../../../schemas/errors.ts';

/** How a session ends. */
export interface Ending {
  readonly by: 'client' | 'upstream' | 'us';
  readonly refusal: Refusal | null;
  /** Why, to a client that is there. */
  readonly code: number;
  readonly reason: string;
}

/** Codes of closed WebSockets. */
export const NORMAL = 1000;
export const GOING_AWAY = 1001;
export const POLICY = 1008;
export const INTERNAL = 1011;
export const RESTART = 1012;

/** What a peer may say in a goodbye; other codes are not for the wire. */
export const sayable = (code: number): number => (code === NORMAL || (code >= 3000 && code <= 4999) ? code : NORMAL);

/** An upstream that has closed its socket: with a farewell, or in the middle of it. */
export const endingOfUpstream = (code: number, reason: string, brokenOff: Refusal): Ending => {
  const isFarewell = code === NORMAL || code === GOING_AWAY;
  return { by: 'upstream', refusal: isFarewell ? null : brokenOff, code: isFarewell || code >= 3000 ? code : INTERNAL, reason };
};

/** What those who read the events of a session may do about its end. */
export interface Closing {
  /** Nothing may be begun or sent any more. */
  isOver(): boolean;
  /** It ends once no response runs. */
  isLeaving(): boolean;
  /** Ends a session that was to end as soon as nothing runs, if nothing does; whether it has. */
  leftIdle(): boolean;
  /** Tells the client, and goes on. `eventId`: of the client's event that was refused. */
  tell(refusal: Refusal, eventId?: string | null): void;
  /** Tells the client, and ends the session. */
  refuse(refusal: Refusal, code: number, eventId?: string | null): void;
}
