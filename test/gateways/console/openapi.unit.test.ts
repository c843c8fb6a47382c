import { expect } from 'chai';
import { listed } from '../../support/listed.ts';
import { openApiDocument } from '../../../gateways/console/openapi.ts';
import { routes } from '../../../gateways/console/routes.ts';

/* eslint-disable @typescript-eslint/no-explicit-any -- a document of unknown shape is what is being looked at */
const document = JSON.parse(JSON.stringify(openApiDocument('1.2.3')));

const operations = (): { path: string; method: string; operation: any }[] =>
  Object.entries<any>(document.paths).flatMap(([path, methods]) =>
    Object.entries<any>(methods).map(([method, operation]) => ({ path, method, operation })),
  );

const refsIn = (value: unknown): string[] => {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => (key === '$ref' && typeof inner === 'string' ? [inner] : refsIn(inner)));
};

describe('OpenAPI document', () => {
  it('describes every route there is, and no other', () => {
    expect(
      operations()
        .map(({ operation }) => operation.operationId as string)
        .sort(),
    ).to.deep.equal(Object.keys(routes).sort());
  });

  it('declares each parameter of a path, and no path twice', () => {
    for (const { path, operation } of operations()) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const declared = listed(operation.parameters)
        .filter((parameter: any) => parameter.in === 'path')
        .map(({ name }: any) => name as string);
      expect(declared, path).to.have.members(inPath);
    }
    const shapes = operations().map(({ path, method }) => `${method} ${path.replaceAll(/\{\w+\}/g, '{}')}`);
    expect(new Set(shapes).size).to.equal(shapes.length);
  });

  it('says how a caller proves himself, how it may be refused, and what comes back', () => {
    for (const { path, method, operation } of operations()) {
      const name = `${method} ${path}`;
      expect(operation.responses.default.content['application/json'].schema, name).to.deep.equal({ $ref: '#/components/schemas/Problem' });
      expect(Object.keys(operation.responses), name).to.have.length(2);
      for (const requirement of operation.security as object[])
        for (const scheme of Object.keys(requirement)) expect(document.components.securitySchemes, name).to.have.property(scheme);
      if (method !== 'get' && operation.security.length > 0) expect(operation.security[0], name).to.have.property('csrf');
    }
  });

  it('refers only to what it holds', () => {
    for (const ref of refsIn(document)) {
      const target = ref
        .slice(2)
        .split('/')
        .reduce<any>((place, key) => place?.[key], document);
      expect(target, ref).to.be.an('object');
    }
  });

  it('has money as strings', () => {
    const { properties } = document.paths['/api/users/{userId}/credit'].post.requestBody.content['application/json'].schema;
    expect(properties.amount).to.include({ type: 'string' });
  });
});
