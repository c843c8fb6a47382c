/** Our keys, other providers' keys, bearer tokens, sealed envelopes, and passwords inside URLs. */
const SECRETS: readonly (readonly [RegExp, string])[] = [
  [/\bsk-[\w-]{8,}/g, 'sk-…'],
  [/\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/gi, '$1 …'],
  [/\benv1\.[0-9a-f]{16}\.[\w-]+\.[\w-]+/g, 'env1.…'],
  [/(\w+:\/\/[^\s:/@]+):[^\s@/]+@/g, '$1:…@'],
];

const SECRET_NAMES = /^(authorization|cookie|set-cookie|password|secret|apikey|api_key|x-api-key)$/i;

/** A copy of a log field in which nothing looks like a secret any more. Last line of defence: secrets are not to be logged in the first place. */
export const withoutSecrets = (value: unknown): unknown => {
  if (typeof value === 'string') return SECRETS.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), value);
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (value instanceof Error) return withoutSecrets(value.stack ?? value.message);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, SECRET_NAMES.test(name) ? '…' : withoutSecrets(inner)]));
};
