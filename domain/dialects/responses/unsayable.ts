import { refuse, type Refusal } from '../../../schemas/errors.ts';

/**
 * Collects what the form in the middle cannot say, first things first. It is not refused at once: an upstream that speaks the
 * Responses API itself is asked in the client's own words.
 */
export class Unsayables {
  #first: Refusal | null = null;

  get first(): Refusal | null {
    return this.#first;
  }

  add(what: string, param: string): void {
    this.#first ??= refuse('invalid_request', `${param}: ${what}`, { param });
  }
}
