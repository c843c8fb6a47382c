/** Sessions that were signed out in any process; each hears of the others' within about a second. */
export interface EndedSessions {
  /** Tells the others, now or as soon as they can be told. */
  end(sessionId: string): void;
  has(sessionId: string): boolean;
}
