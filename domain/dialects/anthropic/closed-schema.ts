import { isRecord } from '../loose-json.ts';

type Json = Readonly<Record<string, unknown>>;

const inner = (value: unknown): unknown => (isRecord(value) ? closedSchema(value) : value);

const each = (value: unknown): unknown =>
  isRecord(value) ? Object.fromEntries(Object.entries(value).map(([name, schema]) => [name, inner(schema)])) : value;

/** A schema whose objects say that they have no other members, as Anthropic's structured answers must. What a schema says of it itself stays. */
export const closedSchema = (schema: Json): Json => {
  const closed: Record<string, unknown> = { ...schema };
  for (const name of ['properties', '$defs', 'definitions']) if (name in closed) closed[name] = each(closed[name]);
  for (const name of ['items', 'not']) if (name in closed) closed[name] = inner(closed[name]);
  for (const name of ['anyOf', 'oneOf', 'allOf', 'prefixItems']) {
    const list = closed[name];
    if (Array.isArray(list)) closed[name] = (list as readonly unknown[]).map(inner);
  }
  const isObject = schema['type'] === 'object' || isRecord(schema['properties']);
  return isObject && schema['additionalProperties'] === undefined ? { ...closed, additionalProperties: false } : closed;
};
