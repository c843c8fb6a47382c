import type { z } from 'zod';

/** Who may call: anybody, whoever is signed in, or administrators. */
export type RouteAuth = 'public' | 'user' | 'admin';

/** What an answer is made of: a JSON body by its schema, a CSV or NDJSON download, a file as it is, or server-sent events. */
export type RouteAnswer = 'json' | 'csv' | 'ndjson' | 'file' | 'events';

/** One row of the route table, the single source of the Express routes and of the OpenAPI document. */
export interface Route {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** Below `/api`, parameters as `:name`. */
  readonly path: string;
  readonly auth: RouteAuth;
  readonly tag: string;
  readonly summary: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  readonly answer: RouteAnswer;
  /** The JSON body, or what one event or line of a stream holds. */
  readonly response: z.ZodType;
  /** 200 unless given. */
  readonly status?: 201 | 202;
  /** `If-Match: "<revision>"` is honoured: another revision is answered with 412. */
  readonly ifMatch?: true;
}
