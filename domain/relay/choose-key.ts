/** The next usable key in turn, beginning behind `cursor`; `null` when none is usable. `index` is the next call's cursor. */
export const chooseKey = <K>(
  keys: readonly K[],
  cursor: number,
  mayUse: (key: K) => boolean,
): { readonly key: K; readonly index: number } | null => {
  for (let step = 1; step <= keys.length; step++) {
    const index = (((cursor + step) % keys.length) + keys.length) % keys.length;
    const key = keys[index];
    if (key !== undefined && mayUse(key)) return { key, index };
  }
  return null;
};
