import { expect } from 'chai';
import { googleSchema, knownJsonSchema } from '../../../../domain/dialects/gemini/google-schema.ts';

describe('JSON Schema in the forms that Google takes', () => {
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    properties: {
      kind: { const: 'a' },
      count: { type: 'integer', exclusiveMinimum: 0, multipleOf: 2 },
      level: { enum: [1, 2] },
      when: { type: 'string', format: 'date-time' },
      where: { type: 'string', format: 'uri' },
      tree: { $ref: '#/$defs/tree' },
      either: { oneOf: [{ type: 'string' }, { type: 'null' }] },
      both: { allOf: [{ type: 'object', properties: { a: { type: 'string' } } }, { properties: { b: {} } }] },
      list: { type: 'array' },
      many: { type: ['string', 'number', 'null'] },
      type: { type: 'string' },
    },
    required: ['kind', 'gone'],
    additionalProperties: false,
    $defs: { tree: { type: 'object', properties: { left: { $ref: '#/$defs/tree' } } } },
  };

  it('is written out in Google’s own', () => {
    const { properties, ...rest } = googleSchema(schema) as unknown as {
      properties: Record<string, { properties?: Record<string, unknown> }>;
    };
    expect(rest).to.deep.equal({ type: 'OBJECT', required: ['kind'] });
    const { tree, ...flat } = properties;
    expect(flat).to.deep.equal({
      kind: { type: 'STRING', format: 'enum', enum: ['a'] },
      count: { type: 'INTEGER', minimum: 1 },
      level: { type: 'NUMBER' },
      when: { type: 'STRING', format: 'date-time' },
      where: { type: 'STRING' },
      either: { type: 'STRING', nullable: true },
      both: { type: 'OBJECT', properties: { a: { type: 'STRING' }, b: {} } },
      list: { type: 'ARRAY', items: { type: 'STRING' } },
      many: { anyOf: [{ type: 'STRING' }, { type: 'NUMBER' }], nullable: true },
      type: { type: 'STRING' },
    });
    expect(tree?.properties?.['left']).to.have.property('type', 'OBJECT');
    expect(JSON.stringify(tree)).not.to.include('$ref');
  });

  it('loses only what Google refuses where it takes JSON Schema itself', () => {
    expect(knownJsonSchema(schema)).to.deep.equal({
      type: 'object',
      properties: {
        kind: { enum: ['a'] },
        count: { type: 'integer', minimum: 1 },
        level: { enum: [1, 2] },
        when: { type: 'string', format: 'date-time' },
        where: { type: 'string', format: 'uri' },
        tree: { $ref: '#/$defs/tree' },
        either: { oneOf: [{ type: 'string' }, { type: 'null' }] },
        both: { type: 'object', properties: { a: { type: 'string' }, b: {} } },
        list: { type: 'array' },
        many: { type: ['string', 'number', 'null'] },
        type: { type: 'string' },
      },
      required: ['kind', 'gone'],
      additionalProperties: false,
      $defs: { tree: { type: 'object', properties: { left: { $ref: '#/$defs/tree' } } } },
    });
  });
});
