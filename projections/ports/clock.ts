/** Milliseconds since the Unix epoch. Decides how old something is said to be, and when to try again; never what a row holds. */
export interface Clock {
  now(): number;
}
