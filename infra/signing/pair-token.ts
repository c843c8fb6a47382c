import { SignJWT } from 'jose';
import type { Clock } from '../../commands/ports/clock.ts';

const LASTS_SECONDS = 1_800;
/** Clocks differ. */
const BEFORE_SECONDS = 5;

/** A token of half an hour, signed (HS256) with the second half of `access key|secret key` in the name of the first. */
export const pairToken = (credential: string, clock: Clock): Promise<string> => {
  const at = credential.indexOf('|');
  const seconds = Math.floor(clock.now() / 1_000);
  return new SignJWT({})
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setIssuer(credential.slice(0, at))
    .setExpirationTime(seconds + LASTS_SECONDS)
    .setNotBefore(seconds - BEFORE_SECONDS)
    .sign(new TextEncoder().encode(credential.slice(at + 1)));
};
