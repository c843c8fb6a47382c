import { Generated, type GenerationIdentity } from '../../../domain/dialects/gemini/generated.ts';
import { usageMetadata } from '../../../domain/dialects/gemini/usage.ts';
import { isRecord } from '../../../domain/dialects/loose-json.ts';
import { errorTable, type Refusal } from '../../../schemas/errors.ts';
import type { Usage } from '../../../schemas/usage.ts';
import type { HubEvents } from '../hub-events.ts';
import type { AnswerDialect, AnswerIdentity, StreamWriter } from './answer-dialect.ts';
import { EVENT_STREAM } from './event-stream.ts';
import { parsedJson } from './parsed-json.ts';
import { saidByError } from './said-by-error.ts';
import { HubReader } from './said-in-hub.ts';

/** Google's name for what an HTTP status says. */
const statusName = (status: number): string => {
  switch (status) {
    case 401:
      return 'UNAUTHENTICATED';
    case 403:
      return 'PERMISSION_DENIED';
    case 404:
      return 'NOT_FOUND';
    case 409:
      return 'ABORTED';
    case 429:
      return 'RESOURCE_EXHAUSTED';
    case 503:
      return 'UNAVAILABLE';
    case 504:
      return 'DEADLINE_EXCEEDED';
    default:
      return status < 500 ? 'INVALID_ARGUMENT' : 'INTERNAL';
  }
};

/** The code of our own table stands where Google's servers put a machine's reason. */
const errorOf = (status: number, message: string, reason: string): object => ({
  error: {
    code: status,
    message,
    status: statusName(status),
    details: [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason, domain: 'oblivious' }],
  },
});

const refusalError = ({ refused, message }: Refusal): object => errorOf(errorTable[refused].status, message, refused);

const identityOf = ({ requestId, model }: AnswerIdentity): GenerationIdentity => ({ responseId: requestId, model });

/** How the responses of a stream stand one behind another. */
interface Framing {
  readonly type: string;
  response(json: string, isFirst: boolean): string;
  /** Behind the last one. */
  end(isEmpty: boolean): string;
}

const AS_EVENTS: Framing = { type: EVENT_STREAM, response: (json) => `data: ${json}\n\n`, end: () => '' };

/** One JSON array, element by element: what Google's servers send to those who do not ask for `alt=sse`. */
const AS_ARRAY: Framing = {
  type: 'application/json; charset=utf-8',
  response: (json, isFirst) => `${isFirst ? '[' : ',\n'}${json}`,
  end: (isEmpty) => (isEmpty ? '[]' : ']'),
};

class GeminiStream implements StreamWriter {
  readonly #framing: Framing;
  readonly #generated: Generated;
  readonly #hub = new HubReader();
  #sent = 0;

  constructor(framing: Framing, identity: AnswerIdentity) {
    this.#framing = framing;
    this.#generated = new Generated(identityOf(identity));
  }

  write(events: HubEvents): string {
    let text = '';
    this.#hub.read(
      events,
      (chunk) => {
        const said = this.#generated.push(chunk);
        if (said !== null) text += this.#response(said);
      },
      (sentence) => {
        text += this.#response(JSON.stringify(errorOf(502, sentence, 'upstream_failed')));
      },
    );
    return text;
  }

  end(usage: Usage): Buffer {
    const last = this.#response(JSON.stringify(this.#generated.end(usageMetadata(usage))));
    return Buffer.from(last + this.#framing.end(false));
  }

  broken(refusal: Refusal): Buffer {
    const last = this.#response(JSON.stringify(refusalError(refusal)));
    return Buffer.from(last + this.#framing.end(false));
  }

  #response(json: string): string {
    return this.#framing.response(json, this.#sent++ === 0);
  }
}

const answersIn = (framing: Framing): AnswerDialect => ({
  name: 'gemini',
  requestIdHeaders: ['x-request-id'],
  errorBody: (refusal) => JSON.stringify(refusalError(refusal)),
  passedError: (status, body) => {
    const said = parsedJson(body.toString('utf8'));
    return Buffer.from(JSON.stringify(errorOf(status, saidByError(isRecord(said) ? said['error'] : null), 'upstream_refused')));
  },
  answer: (completion, usage, identity) =>
    Buffer.from(JSON.stringify(new Generated(identityOf(identity)).whole(completion, usageMetadata(usage)))),
  // Not every client of Google's reads comments.
  heartbeat: Buffer.alloc(0),
  streamType: framing.type,
  streamWriter: (identity) => new GeminiStream(framing, identity),
});

/** Answers in Gemini's form, streams as server-sent events. */
export const geminiAnswers: AnswerDialect = answersIn(AS_EVENTS);
/** The same, streams as one array. */
export const geminiArrayAnswers: AnswerDialect = answersIn(AS_ARRAY);
