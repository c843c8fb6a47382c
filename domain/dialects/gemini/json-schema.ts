import { isRecord } from '../loose-json.ts';

type Json = Readonly<Record<string, unknown>>;

/** Members that Google's form of a schema has beyond JSON Schema's, or means otherwise. */
const DROPPED: ReadonlySet<string> = new Set(['nullable', 'propertyOrdering', 'example']);

const typeOf = (type: unknown, nullable: boolean): unknown => {
  const lower = typeof type === 'string' ? type.toLowerCase() : type;
  return nullable && typeof lower === 'string' ? [lower, 'null'] : lower;
};

/** A schema in Google's form, where types are in capitals and null is a flag, as JSON Schema. Names of properties are the caller's own. */
export const jsonSchemaOf = (schema: Json): Json => {
  const nullable = schema['nullable'] === true;
  const entries = Object.entries(schema).flatMap(([name, value]): [string, unknown][] => {
    if (DROPPED.has(name) || (name === 'format' && value === 'enum')) return [];
    if (name === 'type') return [[name, typeOf(value, nullable)]];
    if (name === 'properties' && isRecord(value))
      return [[name, Object.fromEntries(Object.entries(value).map(([property, of]) => [property, isRecord(of) ? jsonSchemaOf(of) : of]))]];
    if (name === 'items' && isRecord(value)) return [[name, jsonSchemaOf(value)]];
    if (name === 'anyOf' && Array.isArray(value)) return [[name, value.map((one: unknown) => (isRecord(one) ? jsonSchemaOf(one) : one))]];
    return [[name, value]];
  });
  return Object.fromEntries(entries);
};
