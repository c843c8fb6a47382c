import { isRecord } from '../loose-json.ts';

/** Members whose value is the caller's own, with names that mean what the caller wants. */
const OWN: ReadonlySet<string> = new Set([
  'args',
  'response',
  'parameters',
  'parametersJsonSchema',
  'responseSchema',
  'responseJsonSchema',
  'labels',
]);

const camel = (name: string): string =>
  name.includes('_') ? name.replace(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase()) : name;

const isInCamelCase = (value: unknown): boolean => {
  if (Array.isArray(value)) return value.every(isInCamelCase);
  if (!isRecord(value)) return true;
  for (const name of Object.keys(value)) if (name.includes('_') || (!OWN.has(name) && !isInCamelCase(value[name]))) return false;
  return true;
};

/** Google's servers take names of members in snake case too, and half of what is written by hand has them so. What has none is answered as it is. */
export const inCamelCase = (value: unknown): unknown => {
  if (isInCamelCase(value)) return value;
  if (Array.isArray(value)) return value.map(inCamelCase);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => {
      const known = camel(name);
      return [known, OWN.has(known) ? member : inCamelCase(member)];
    }),
  );
};
