import type { z } from 'zod';
import type { CommandContext } from '../../commands/command-context.ts';
import type { Refusal } from '../../schemas/errors.ts';
import type { Revision } from '../../schemas/event-envelope.ts';
import type { SessionClaims } from '../ports/session-tokens.ts';
import type { Caller } from './caller.ts';
import type { Route } from './route.ts';
import type { Operation, Routes } from './routes.ts';

/** What a handler may do to the cookie of whoever calls. */
export interface SessionCookie {
  readonly set: (claims: SessionClaims) => void;
  readonly clear: () => void;
}

type Part<R extends Route, Name extends 'params' | 'query' | 'body'> = R[Name] extends z.ZodType ? z.output<R[Name]> : undefined;

/** A call that is known to be from somebody who may make it, its parts parsed. */
export interface Call<R extends Route> {
  /** On public routes there may be nobody. */
  readonly caller: R['auth'] extends 'public' ? Caller | null : Caller;
  readonly params: Part<R, 'params'>;
  readonly query: Part<R, 'query'>;
  readonly body: Part<R, 'body'>;
  /** For commands: the client's `Idempotency-Key`, or the request's own id, stands behind the command id. `tenant` names whose data it is. */
  readonly context: (tenant: string) => CommandContext;
  /** From `If-Match`. */
  readonly expectedRevision: Revision | undefined;
  readonly cookie: SessionCookie;
  readonly address: string;
  /** Streams: aborts when the client leaves, the caller may no longer see it, or the server stops. */
  readonly signal: AbortSignal;
  /** Streams: where the client says it was. */
  readonly lastEventId: string | undefined;
}

/** One server-sent event. */
export interface StreamedRow<Row> {
  readonly id: string;
  readonly row: Row;
}

/** A download, one row at a time. `name` is offered as the file's name. */
export interface Download<Row> {
  readonly name: string;
  readonly rows: AsyncIterable<Row>;
}

/** A file that was made before. */
export interface StoredFile {
  readonly name: string;
  readonly bytes: number;
  readonly content: AsyncIterable<Uint8Array>;
}

type Answer<R extends Route> = R['answer'] extends 'json'
  ? z.output<R['response']>
  : R['answer'] extends 'events'
    ? AsyncIterable<StreamedRow<z.output<R['response']>>>
    : R['answer'] extends 'file'
      ? StoredFile
      : Download<z.output<R['response']>>;

export type Handler<R extends Route> = (call: Call<R>) => Promise<Answer<R> | Refusal>;

/** One handler for every row of the route table: a row without one does not compile. */
export type Handlers = { readonly [Name in Operation]: Handler<Routes[Name]> };
