import { refuse, type Refusal } from '../../schemas/errors.ts';
import type { SignInFailures } from '../ports/sign-in-failures.ts';
import { ACCOUNT_PACE, ADDRESS_PACE, tooManyAttempts, type SignInThrottle } from './sign-in-throttle.ts';

const accountName = (account: string): string => `account:${account}`;
const addressName = (address: string): string => `address:${address}`;

/** Slows down guessing in all processes together; each by itself while the others cannot be reached. */
export class SharedSignInThrottle implements Pick<SignInThrottle, 'succeeded' | 'withdrawn'> {
  readonly #own: SignInThrottle;
  readonly #failures: SignInFailures;

  constructor(own: SignInThrottle, failures: SignInFailures) {
    this.#own = own;
    this.#failures = failures;
  }

  async begin(account: string, address: string): Promise<Refusal | null> {
    const held = this.#own.begin(account, address);
    if (held !== null) return held;
    const [forAccount = 0, forAddress = 0] = await Promise.all([
      this.#failures.begin(accountName(account), ACCOUNT_PACE),
      this.#failures.begin(addressName(address), ADDRESS_PACE),
    ]);
    if (forAccount === 0 && forAddress === 0) return null;
    this.#own.withdrawn(account, address);
    await Promise.all([
      forAccount === 0 ? this.#failures.forgive(accountName(account)) : undefined,
      forAddress === 0 ? this.#failures.forgive(addressName(address)) : undefined,
    ]);
    return refuse('rate_limited', ...tooManyAttempts(Math.max(forAccount, forAddress)));
  }

  succeeded(account: string, address: string): void {
    this.#own.succeeded(account, address);
    void this.#failures.forget(accountName(account));
    void this.#failures.forgive(addressName(address));
  }

  withdrawn(account: string, address: string): void {
    this.#own.withdrawn(account, address);
    void this.#failures.forgive(accountName(account));
    void this.#failures.forgive(addressName(address));
  }
}
