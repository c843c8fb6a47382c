/** What was taken out of a body's long strings and lies elsewhere, as far as a bound has to know. */
export interface Elided {
  /** Of the whole body. */
  readonly bytes: number;
  /** Of what was taken out of this string. */
  within(text: string): number;
}

export const NOTHING_ELIDED: Elided = { bytes: 0, within: () => 0 };
