import type { EventFilter } from '../../../schemas/event-envelope.ts';

/** A batch flattened for the way to the worker: one element per append, and one per event, in order. */
export interface FlatAppends {
  readonly streams: string[];
  readonly expected: number[];
  readonly counts: number[];
  readonly ids: string[];
  readonly types: string[];
  readonly versions: number[];
  readonly data: string[];
  readonly metadata: string[];
}

/** Per append: codes 0 appended, 1 repeated, 2 conflict; revisions its last or, at a conflict, the stream's (-1 without one); positions its last. */
export interface FlatOutcomes {
  readonly recordedMs: number;
  readonly codes: number[];
  readonly revisions: number[];
  readonly positions: number[];
}

/** position, stream, revision, event id, type, schema version, recorded (epoch ms), data, metadata */
export type EventRow = readonly [number, string, number, string, string, number, number, string, string];

export interface StepRequest {
  readonly after: number;
  readonly upTo: number | undefined;
  readonly filter: EventFilter | undefined;
  readonly limit: number;
}

export interface StepAnswer {
  readonly rows: EventRow[];
  readonly through: number;
  readonly head: number;
}

export interface StreamRequest {
  readonly stream: string;
  readonly from: number;
  readonly limit: number;
  readonly isForwards: boolean;
}

export interface StreamAnswer {
  readonly rows: EventRow[];
  /** Nothing of the stream lies beyond these rows in the direction of reading. */
  readonly isEnd: boolean;
}

/** What a worker can be asked, and what it answers. */
export interface Requests {
  readonly append: { readonly asked: FlatAppends; readonly answer: FlatOutcomes };
  readonly step: { readonly asked: StepRequest; readonly answer: StepAnswer };
  readonly stream: { readonly asked: StreamRequest; readonly answer: StreamAnswer };
  readonly head: { readonly asked: null; readonly answer: number };
  readonly close: { readonly asked: null; readonly answer: null };
}

export type RequestName = keyof Requests;

export interface WorkerRequest {
  readonly id: number;
  readonly name: RequestName;
  readonly asked: Requests[RequestName]['asked'];
}

export type WorkerReply =
  { readonly id: number; readonly answer: Requests[RequestName]['answer'] } | { readonly id: number; readonly error: Error };

export interface WorkerSettings {
  readonly file: string;
  /** Makes the file and its tables when they are missing; a reader only reads. */
  readonly role: 'writer' | 'reader';
  /** How long to wait for another process that is writing, in ms. */
  readonly busyTimeoutMs: number;
}
