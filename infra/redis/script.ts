import { hash } from 'node:crypto';

/** Lua that works on one key, and whatever else is in the same slot. */
export interface Script {
  readonly lua: string;
}

const shas = new WeakMap<Script, string>();

/** The name under which a server keeps the script once it has seen it. */
export const shaOf = (script: Script): string => {
  let sha = shas.get(script);
  if (sha === undefined) {
    sha = hash('sha1', script.lua);
    shas.set(script, sha);
  }
  return sha;
};
