import { isRecord } from '../dialects/loose-json.ts';

type Json = Readonly<Record<string, unknown>>;

const DEEPEST = 16;

const objectOf = (schema: Json, indent: number): string => {
  const properties = isRecord(schema['properties']) ? schema['properties'] : {};
  const required: readonly unknown[] = Array.isArray(schema['required']) ? schema['required'] : [];
  const lines: string[] = [];
  for (const [name, property] of Object.entries(properties)) {
    const described = isRecord(property) ? property['description'] : undefined;
    if (typeof described === 'string' && indent < 2) lines.push(`// ${described}`);
    lines.push(`${name}${required.includes(name) ? '' : '?'}: ${typeOf(property, indent)},`);
  }
  return lines.map((line) => ' '.repeat(indent) + line).join('\n');
};

const typeOf = (schema: unknown, indent: number): string => {
  if (!isRecord(schema) || indent > DEEPEST) return 'any';
  const { type, enum: values, items } = schema;
  switch (type) {
    case 'string':
    case 'number':
    case 'integer':
      if (Array.isArray(values)) return values.map((value) => JSON.stringify(value)).join(' | ');
      return type === 'string' ? 'string' : 'number';
    case 'boolean':
    case 'null':
      return type;
    case 'array':
      return items === undefined ? 'any[]' : `${typeOf(items, indent)}[]`;
    case 'object':
      return ['{', objectOf(schema, indent + 2), '}'].join('\n');
    default:
      return Object.keys(schema).length === 0 ? 'any' : JSON.stringify(schema);
  }
};

/** Functions as OpenAI's models read them: a namespace of TypeScript's. `null` where one of the tools is no function. */
export const functionsText = (functions: readonly unknown[]): string | null => {
  const lines = ['namespace functions {', ''];
  for (const each of functions) {
    if (!isRecord(each) || typeof each['name'] !== 'string') return null;
    const { name, description, parameters } = each;
    if (typeof description === 'string') lines.push(`// ${description}`);
    const hasParameters = isRecord(parameters) && isRecord(parameters['properties']) && Object.keys(parameters['properties']).length > 0;
    if (hasParameters) lines.push(`type ${name} = (_: {`, objectOf(parameters, 0), '}) => any;', '');
    else lines.push(`type ${name} = () => any;`, '');
  }
  lines.push('} // namespace functions');
  return lines.join('\n');
};
