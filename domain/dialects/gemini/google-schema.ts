import { isRecord } from '../loose-json.ts';

type Json = Readonly<Record<string, unknown>>;

/** What Google's own form of a schema knows, with the value as it is. */
const KEPT: ReadonlySet<string> = new Set([
  'title',
  'description',
  'nullable',
  'maxItems',
  'minItems',
  'minProperties',
  'maxProperties',
  'minLength',
  'maxLength',
  'pattern',
  'minimum',
  'maximum',
  'default',
  'example',
  'propertyOrdering',
]);

const FORMATS: ReadonlySet<string> = new Set(['float', 'double', 'int32', 'int64', 'enum', 'date-time']);

/** References within references are followed this far; what goes deeper is any object. */
const DEEPEST = 8;

const definitionAt = (root: Json, ref: string): Json | null => {
  if (!ref.startsWith('#/')) return null;
  let found: unknown = root;
  for (const name of ref.slice(2).split('/')) {
    found = isRecord(found) ? found[name.replaceAll('~1', '/').replaceAll('~0', '~')] : undefined;
  }
  return isRecord(found) ? found : null;
};

const schemasOf = (value: unknown): readonly Json[] => (Array.isArray(value) ? (value as readonly unknown[]).filter(isRecord) : []);

/** Schemas that hold all at once, as one. */
const merged = (schema: Json): Json => {
  const { allOf, ...own } = schema;
  let all: Json = own;
  for (const one of schemasOf(allOf)) {
    const part = merged(one);
    all = {
      ...all,
      ...part,
      ...(isRecord(all['properties']) || isRecord(part['properties'])
        ? { properties: { ...(all['properties'] as Json | undefined), ...(part['properties'] as Json | undefined) } }
        : {}),
      ...(Array.isArray(all['required']) && Array.isArray(part['required'])
        ? { required: [...(all['required'] as readonly unknown[]), ...(part['required'] as readonly unknown[])] }
        : {}),
    };
  }
  return all;
};

const lowest = (schema: Json): Json => {
  const { exclusiveMinimum: above, exclusiveMaximum: below } = schema;
  const step = schema['type'] === 'integer' ? 1 : 0;
  return {
    ...(typeof above === 'number' ? { minimum: above + step } : {}),
    ...(typeof below === 'number' ? { maximum: below - step } : {}),
  };
};

class Reader {
  readonly #root: Json;

  constructor(root: Json) {
    this.#root = root;
  }

  read(given: Json, depth: number): Json {
    const ref = given['$ref'];
    if (typeof ref === 'string') {
      const definition = depth < DEEPEST ? definitionAt(this.#root, ref) : null;
      return definition === null ? { type: 'OBJECT' } : this.read({ ...definition, ...without(given, '$ref') }, depth + 1);
    }
    const schema = merged(given);
    const alternatives = [...schemasOf(schema['anyOf']), ...schemasOf(schema['oneOf'])];
    const types = Array.isArray(schema['type'])
      ? (schema['type'] as readonly unknown[]).filter((type) => type !== 'null')
      : [schema['type']];
    const isNullable =
      (Array.isArray(schema['type']) && types.length < schema['type'].length) || alternatives.some(({ type }) => type === 'null');
    const nullable = isNullable ? { nullable: true } : {};
    if (alternatives.length > 0) {
      const choices = alternatives.filter(({ type }) => type !== 'null').map((one) => this.read(one, depth));
      const [only] = choices;
      // Nothing may stand beside a choice but what describes it.
      if (choices.length === 1) return { ...only, ...nullable };
      return { anyOf: choices, ...nullable };
    }
    if (types.length > 1) return { anyOf: types.map((type) => this.read({ ...schema, type }, depth)), ...nullable };
    return { ...this.#plain({ ...schema, type: types[0] }, depth), ...nullable };
  }

  #plain(schema: Json, depth: number): Json {
    const type = typeOf(schema);
    const said: Record<string, unknown> = type === null ? {} : { type: type.toUpperCase() };
    for (const [name, value] of Object.entries(schema)) if (KEPT.has(name)) said[name] = value;
    Object.assign(said, lowest(schema));
    const values = 'const' in schema ? [schema['const']] : Array.isArray(schema['enum']) ? (schema['enum'] as readonly unknown[]) : [];
    const texts = values.filter((value): value is string => typeof value === 'string' && value !== '');
    // Only texts can be told apart; other values are told by their type.
    if (texts.length > 0) Object.assign(said, { type: 'STRING', format: 'enum', enum: texts });
    else if (typeof schema['format'] === 'string' && FORMATS.has(schema['format'])) said['format'] = schema['format'];
    if (said['type'] === 'ARRAY') said['items'] = isRecord(schema['items']) ? this.read(schema['items'], depth) : { type: 'STRING' };
    if (isRecord(schema['properties'])) {
      const properties = Object.entries(schema['properties']).map(
        ([name, one]) => [name, isRecord(one) ? this.read(one, depth) : { type: 'STRING' }] as const,
      );
      if (properties.length > 0) said['properties'] = Object.fromEntries(properties);
      const names = new Set(properties.map(([name]) => name));
      const required = Array.isArray(schema['required'])
        ? (schema['required'] as readonly unknown[]).filter((name) => names.has(String(name)))
        : [];
      if (required.length > 0) said['required'] = required;
    }
    return said;
  }
}

const without = (schema: Json, name: string): Json => Object.fromEntries(Object.entries(schema).filter(([member]) => member !== name));

const typeOf = (schema: Json): string | null => {
  if (typeof schema['type'] === 'string') return schema['type'];
  if (isRecord(schema['properties'])) return 'object';
  if (isRecord(schema['items'])) return 'array';
  const value = 'const' in schema ? schema['const'] : Array.isArray(schema['enum']) ? (schema['enum'] as readonly unknown[])[0] : null;
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? typeof value : null;
};

/**
 * JSON Schema in Google's own form, for models that know no other. It knows less: references are written out, choices are `anyOf`, null is a
 * flag, and what only narrows a value further (`patternProperties`, `not`, `multipleOf`, values that are no texts) is left out.
 */
export const googleSchema = (schema: Json): Json => new Reader(schema).read(schema, 0);

/** What Google takes of JSON Schema as it is; it refuses a schema with any other member. */
const JSON_SCHEMA: ReadonlySet<string> = new Set([
  '$id',
  '$defs',
  '$ref',
  '$anchor',
  'type',
  'format',
  'title',
  'description',
  'enum',
  'items',
  'prefixItems',
  'minItems',
  'maxItems',
  'minimum',
  'maximum',
  'anyOf',
  'oneOf',
  'properties',
  'additionalProperties',
  'required',
  'propertyOrdering',
]);

const each = (value: unknown): unknown =>
  isRecord(value) ? Object.fromEntries(Object.entries(value).map(([name, one]) => [name, known(one)])) : value;

const known = (value: unknown): unknown => {
  if (!isRecord(value)) return value;
  if (typeof value['$ref'] === 'string') return { $ref: value['$ref'].replace('#/definitions/', '#/$defs/') };
  const schema: Json = { ...merged(value), ...lowest(value), ...('const' in value ? { enum: [value['const']] } : {}) };
  const said: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(schema)) {
    if (name === 'definitions') said['$defs'] = each(member);
    else if (name === 'properties' || name === '$defs') said[name] = each(member);
    else if (name === 'items' || name === 'additionalProperties') said[name] = known(member);
    else if (name === 'anyOf' || name === 'oneOf' || name === 'prefixItems')
      said[name] = Array.isArray(member) ? (member as readonly unknown[]).map(known) : member;
    else if (JSON_SCHEMA.has(name)) said[name] = member;
  }
  return said;
};

/** JSON Schema without what Google refuses of it; what is left out only narrows values further. */
export const knownJsonSchema = (schema: Json): Json => known(schema) as Json;
