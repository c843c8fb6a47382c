import { z } from 'zod';
import { Problem } from '../../schemas/http/wire.ts';
import type { Route } from './route.ts';
import { routes } from './routes.ts';

type Json = Readonly<Record<string, unknown>>;

/** Of what goes over the wire: money is a string here, whatever it is in the program. */
const schemaOf = (schema: z.ZodType): Json => {
  const { $schema: _dialect, ...json } = z.toJSONSchema(schema, { io: 'input' }) as Json;
  return json;
};

const parametersOf = (place: 'path' | 'query', schema: z.ZodObject | undefined): readonly Json[] => {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = schemaOf(schema) as { readonly properties?: Json; readonly required?: readonly string[] };
  return Object.entries(properties).map(([name, its]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema: its,
  }));
};

const CONTENT_TYPE: Readonly<Record<Route['answer'], string>> = {
  json: 'application/json',
  csv: 'text/csv',
  ndjson: 'application/x-ndjson',
  file: 'application/gzip',
  events: 'text/event-stream',
};

const answerOf = (route: Route): Json => {
  const { answer, response } = route;
  // What is not JSON is text, each line or event of which is described beside it.
  const content =
    answer === 'json'
      ? { schema: schemaOf(response) }
      : { schema: { type: 'string' }, ...(answer === 'csv' || answer === 'file' ? {} : { 'x-item-schema': schemaOf(response) }) };
  return {
    description: route.status === 201 ? 'Made.' : route.status === 202 ? 'Begun.' : 'Done.',
    content: { [CONTENT_TYPE[answer]]: content },
  };
};

const PROBLEM = {
  description: 'Refused; the body says why and what to do.',
  content: { 'application/json': { schema: { $ref: '#/components/schemas/Problem' } } },
};

/** By session cookie (with the CSRF header where something changes) or as the operator. */
const securityOf = (route: Route): readonly Json[] =>
  route.auth === 'public'
    ? []
    : route.method === 'get'
      ? [{ session: [] }, { operator: [] }]
      : [{ session: [], csrf: [] }, { operator: [] }];

const headersOf = (route: Route): readonly Json[] => [
  ...(route.ifMatch === true
    ? [
        {
          name: 'If-Match',
          in: 'header',
          required: false,
          schema: { type: 'string' },
          description: 'The revision that you saw, such as "7"; another is answered with 412.',
        },
      ]
    : []),
  ...(route.method !== 'get' && route.auth !== 'public'
    ? [
        {
          name: 'Idempotency-Key',
          in: 'header',
          required: false,
          schema: { type: 'string', maxLength: 80 },
          description: 'A request that comes again with the same key is done once.',
        },
      ]
    : []),
];

const operationOf = (name: string, route: Route): Json => ({
  operationId: name,
  tags: [route.tag],
  summary: route.summary,
  ...(route.auth === 'admin' ? { description: 'For administrators.' } : {}),
  parameters: [...parametersOf('path', route.params), ...parametersOf('query', route.query), ...headersOf(route)],
  ...(route.body === undefined
    ? {}
    : { requestBody: { required: !route.body.safeParse({}).success, content: { 'application/json': { schema: schemaOf(route.body) } } } }),
  responses: { [route.status ?? 200]: answerOf(route), default: PROBLEM },
  security: securityOf(route),
});

/** The console's API in OpenAPI 3.1, from the table that it is served by. */
export const openApiDocument = (version: string): Json => {
  const paths: Record<string, Record<string, Json>> = {};
  for (const [name, route] of Object.entries(routes) as [string, Route][]) {
    const path = `/api${route.path.replaceAll(/:(\w+)/g, '{$1}')}`;
    paths[path] = { ...paths[path], [route.method]: operationOf(name, route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Oblivious console API',
      version,
      description:
        'Everything that the console and the command line do. Money is a decimal string of nano-dollars (1 USD = 1000000000). Instants are ISO 8601 in UTC. An answer to a command carries the log position of what it recorded; a query with `?after=` that position sees it.',
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: { Problem: schemaOf(Problem) },
      securitySchemes: {
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: 'oblivious',
          description: 'Set by signing in; named `__Host-oblivious` over https.',
        },
        csrf: { type: 'apiKey', in: 'header', name: 'x-csrf-token', description: 'From GET /api/session.' },
        operator: { type: 'http', scheme: 'bearer', description: 'The token in operator.json of the data directory.' },
      },
    },
  };
};
