type Schema = Readonly<Record<string, unknown>>;

const isSchema = (value: unknown): value is Schema => typeof value === 'object' && value !== null && !Array.isArray(value);

/** How deep a schema is followed: some refer to themselves. */
const DEEPEST = 8;

const typeOf = (schema: Schema): string => {
  const { type } = schema;
  if (typeof type === 'string') return type;
  if (Array.isArray(type)) return String(type.find((each) => each !== 'null') ?? 'null');
  return 'properties' in schema ? 'object' : 'string';
};

/** A value that fits a JSON Schema, as far as schemas of tools usually go. `words` fills texts. */
export const exampleValue = (schema: unknown, words: string, depth = 0): unknown => {
  if (!isSchema(schema) || depth > DEEPEST) return words;
  if ('const' in schema) return schema['const'];
  if (Array.isArray(schema['enum']) && schema['enum'].length > 0) return schema['enum'][0] as unknown;
  for (const choice of ['anyOf', 'oneOf', 'allOf'] as const) {
    const options = schema[choice];
    if (Array.isArray(options) && options.length > 0) return exampleValue(options[0], words, depth + 1);
  }
  switch (typeOf(schema)) {
    case 'object': {
      const properties = isSchema(schema['properties']) ? schema['properties'] : {};
      return Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, exampleValue(property, words, depth + 1)]));
    }
    case 'array':
      return [exampleValue(schema['items'], words, depth + 1)];
    case 'integer':
    case 'number':
      return typeof schema['minimum'] === 'number' ? schema['minimum'] : 1;
    case 'boolean':
      return true;
    case 'null':
      return null;
    default:
      return words;
  }
};
