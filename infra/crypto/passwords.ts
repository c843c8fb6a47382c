import { randomBytes } from 'node:crypto';
import { hash, verify, type Options } from '@node-rs/argon2';
import type { Passwords } from '../../commands/ports/passwords.ts';
import { refuse, type Refusal } from '../../schemas/errors.ts';

/** argon2id is the library's own default. OWASP names 19 MiB and two passes as the least; memory is what makes a guesser's hardware dear. About 50 ms. */
const STRONG: Options = { memoryCost: 65_536, timeCost: 3, parallelism: 1 };

/** At once: 128 MiB in the worst case. */
const AT_ONCE = 2;
const MOST_WAITING = 50;

/** Crockford's base 32, without letters that look like digits. */
const READABLE = '0123456789abcdefghjkmnpqrstvwxyz';

/** `abcde-fghjk-mnpqr-stvwx`: twenty characters of five bits. */
const readablePassword = (): string =>
  Array.from(randomBytes(20), (byte, index) => (index > 0 && index % 5 === 0 ? '-' : '') + (READABLE[byte % READABLE.length] ?? '')).join(
    '',
  );

/** Runs a few at a time and lets a few wait; whoever comes then is turned away rather than heard in a minute. */
const gate = (atOnce: number, mostWaiting: number): (<Result>(work: () => Promise<Result>) => Promise<Result | Refusal>) => {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (running >= atOnce) {
      if (waiting.length >= mostWaiting)
        return refuse('too_many_in_flight', 'Too many people are signing in at once; try again.', { retryAfterSeconds: 5 });
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else running++;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running--;
      else next();
    }
  };
};

/** argon2id on the thread pool. `options` lets tests be quick. */
export const argon2Passwords = (options: Options = STRONG): Passwords => {
  const inTurn = gate(AT_ONCE, MOST_WAITING);
  /** Of a password that nobody knows, so that an unknown address costs as much as a wrong password. */
  let nobody: Promise<string> | null = null;
  return {
    make: readablePassword,
    hash: (password) => inTurn(() => hash(password, options)),
    verify: (known, password) =>
      inTurn(async () => {
        if (known !== null) return verify(known, password);
        nobody ??= hash(randomBytes(16), options);
        await verify(await nobody, password);
        return false;
      }),
  };
};
