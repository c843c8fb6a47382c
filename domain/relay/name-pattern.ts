/** What stands in the place of a pattern's `*` in a name that fits it, '' where the pattern has none; `null` when the name does not fit. */
export const starOf = (pattern: string, name: string): string | null => {
  const star = pattern.indexOf('*');
  if (star < 0) return pattern === name ? '' : null;
  const before = pattern.slice(0, star);
  const behind = pattern.slice(star + 1);
  return name.length >= before.length + behind.length && name.startsWith(before) && name.endsWith(behind)
    ? name.slice(before.length, name.length - behind.length)
    : null;
};

export const isPattern = (name: string): boolean => name.includes('*');
