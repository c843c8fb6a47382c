import { refuse, type Refusal } from '../../schemas/errors.ts';
import { COMMON_PASSWORDS } from './common-passwords.ts';

/** Length is what counts; which kinds of characters are in it is nobody's business but the owner's. */
const SHORTEST = 10;

/** Rows and runs that people walk along. */
const WALKS = [
  '01234567890123456789',
  'abcdefghijklmnopqrstuvwxyz',
  'qwertyuiopasdfghjklzxcvbnm',
  '1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik',
  'qazwsxedcrfvtgbyhnujmikolp',
  '1q2w3e4r5t6y7u8i9o0p',
  'q1w2e3r4t5y6u7i8o9p0',
  'azertyuiopqsdfghjklmwxcvbn',
];

const reversed = (text: string): string => [...text].reverse().join('');

const isWalk = (text: string): boolean => WALKS.some((walk) => walk.includes(text) || reversed(walk).includes(text));

/** `abcabcabcabc`: at most four characters, over and over. */
const isRepetition = (text: string): boolean => /^(.{1,4}?)\1+.{0,3}$/su.test(text) && new Set(text).size <= 4;

/** What guessers try first: as it is, or with digits and signs hung on to it. */
const isCommon = (text: string): boolean => {
  const bare = text.replace(/^[\d\W_]+|[\d\W_]+$/g, '');
  return COMMON_PASSWORDS.has(text) || (COMMON_PASSWORDS.has(bare) && text.length - bare.length <= 6) || isWalk(text) || isRepetition(text);
};

/** `null` for a password that may be used. */
export const passwordAtFault = (password: string, email: string): Refusal | null => {
  if ([...password].length < SHORTEST)
    return refuse('weak_password', `A password needs at least ${SHORTEST} characters. Any characters will do; a few words are best.`, {
      param: 'password',
    });
  const plain = password.toLowerCase();
  if (isCommon(plain))
    return refuse('weak_password', 'This password is among the first that are guessed. Take a few words that do not belong together.', {
      param: 'password',
    });
  const name = email.toLowerCase().split('@')[0] ?? '';
  if (plain === email.toLowerCase() || (name.length >= 4 && plain.includes(name) && plain.length - name.length <= 6)) {
    return refuse('weak_password', 'This password is your e-mail address with little added to it.', { param: 'password' });
  }
  return null;
};
