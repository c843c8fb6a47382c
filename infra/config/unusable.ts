import type { SettingName } from '../../schemas/config.ts';

/** Something outside the program without which it does not start. The message names the setting or the file, and what is wrong with it. */
export class Unusable extends Error {
  override readonly name: string = 'Unusable';
}

/** Where nothing but the messages of several attempts says what happened, as with a name of several addresses, they are told instead. */
export const reasonIn = (error: unknown): string => {
  if (error instanceof AggregateError && error.message === '') return [...new Set(error.errors.map(reasonIn))].join('; ');
  return error instanceof Error ? error.message : String(error);
};

/** Does what the named thing is needed for. Throws {@link Unusable} for whatever comes in between. */
export const blaming = async <T>(what: string, work: () => T | Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Unusable) throw error;
    throw new Unusable(`${what} cannot be used: ${reasonIn(error)}`, { cause: error });
  }
};

/** Host and path of an address, without what is secret in it. */
const placeOf = (address: string): string => /^[\w+]+:\/\/(?:[^@/]*@)?([^?]*)/.exec(address)?.[1] ?? '';

/** The same for what a setting has the address of. */
export const fromSetting = <T>(name: SettingName, address: string, open: () => T | Promise<T>): Promise<T> =>
  blaming(`${name}: ${placeOf(address)}`, open);
