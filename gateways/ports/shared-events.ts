/** An event of a stream of the Responses API, as it is sent. */
export interface BufferedEvent {
  /** Its `sequence_number`; there are no gaps. */
  readonly number: number;
  readonly text: string;
  readonly isLast: boolean;
}

/** Events of answers that are made in the background, for other processes than the one that makes them. Never rejects. */
export interface SharedEvents {
  /** False: they are not there, or nobody can tell. The same events may be sent again. */
  append(id: string, events: readonly BufferedEvent[]): Promise<boolean>;
  /** Those behind a number, as far as they are there; `unknown`: nothing of this answer is there; `null`: nobody can tell. */
  after(id: string, number: number): Promise<readonly BufferedEvent[] | 'unknown' | null>;
  /** Nobody is to have them any more. */
  drop(id: string): Promise<void>;
}
