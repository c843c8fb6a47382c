import { isRecord } from '../../../domain/dialects/loose-json.ts';
import { isLastEvent, ownEvent, ownResponse } from '../../../domain/dialects/responses/response-events.ts';
import { responseOf, type ResponseIdentity } from '../../../domain/dialects/responses/response.ts';
import { ResponseStream, wholeResponse, type ResponseFault } from '../../../domain/dialects/responses/response-stream.ts';
import { responseUsage } from '../../../domain/dialects/responses/usage.ts';
import type { Refusal } from '../../../schemas/errors.ts';
import type { RequestId } from '../../../schemas/ids.ts';
import type { ResponsesRequest } from '../../../schemas/responses/responses-request.ts';
import type { Usage } from '../../../schemas/usage.ts';
import type { HubEvents } from '../hub-events.ts';
import type { AnswerDialect, AnswerIdentity, StreamWriter } from './answer-dialect.ts';
import { openaiAnswers } from './openai-answers.ts';
import { saidByError } from './said-by-error.ts';
import { forEachChunk } from './said-in-hub.ts';

/** Keeps an answer for its caller to ask for again; whether that has been done. */
export type KeepResponse = (response: Readonly<Record<string, unknown>>) => Promise<boolean>;

/** What an answer is made from besides what the upstream says. */
export interface AskedResponse {
  readonly request: ResponsesRequest;
  /** Milliseconds since the Unix epoch. */
  readonly startedAt: number;
  readonly now: () => number;
  /** Told of the answer when it is whole; `null`: it is not to be kept. */
  readonly keep: KeepResponse | null;
  /** Told of each event of a stream as it is sent. */
  readonly tell?: (event: Readonly<Record<string, unknown>>, text: string) => void;
}

const seconds = (ms: number): number => Math.floor(ms / 1_000);

/** What stands behind the prefix of a request's id stands behind those of what it makes. */
export const idBodyOf = (requestId: RequestId): string => requestId.replace(/^req_/, '');

const identityOf = ({ startedAt }: AskedResponse, { requestId, model }: AnswerIdentity): ResponseIdentity => ({
  idBody: idBodyOf(requestId),
  model,
  createdAt: seconds(startedAt),
});

export const eventText = (event: Readonly<Record<string, unknown>>): string =>
  `event: ${String(event['type'])}\ndata: ${JSON.stringify(event)}\n\n`;

class ResponsesStream implements StreamWriter {
  readonly #asked: AskedResponse;
  readonly #identity: ResponseIdentity;
  readonly #stream: ResponseStream;
  /** The upstream said itself what was wrong; nothing may follow that. */
  #failed = false;
  readonly #isToBeStored: boolean;
  /** The last event of an upstream that speaks in these words itself. */
  #last: Readonly<Record<string, unknown>> | null = null;
  /** The number behind those of its events. */
  #passed = 0;

  constructor(asked: AskedResponse, identity: AnswerIdentity) {
    this.#asked = asked;
    this.#identity = identityOf(asked, identity);
    this.#isToBeStored = asked.keep !== null && asked.request.store !== false;
    this.#stream = new ResponseStream(asked.request, this.#identity, this.#isToBeStored);
  }

  write(events: HubEvents): string {
    let text = '';
    forEachChunk(events, (chunk) => {
      if (this.#failed) return;
      const error = isRecord(chunk) ? chunk['error'] : undefined;
      if (error !== undefined && error !== null) text += this.#fail({ code: 'upstream_failed', message: saidByError(error) });
      else if (isRecord(chunk) && isRecord(chunk['native'])) text += this.#pass(chunk['native']);
      else for (const event of this.#stream.push(chunk)) text += this.#text(event);
    });
    return text;
  }

  /** An event that the upstream said in these words itself. Its last one waits for the charge. */
  #pass(event: Readonly<Record<string, unknown>>): string {
    if (isLastEvent(event['type'])) {
      this.#last = event;
      return '';
    }
    if (typeof event['sequence_number'] === 'number') this.#passed = event['sequence_number'] + 1;
    return this.#text(ownEvent(event, this.#asked.request, this.#identity, this.#isToBeStored));
  }

  async end(usage: Usage): Promise<Buffer> {
    const said = this.#last?.['response'];
    if (this.#last !== null && isRecord(said)) return this.#endPassed(this.#last, said);
    const { events, state } = this.#stream.end(responseUsage(usage), seconds(this.#asked.now()));
    const { keep, request } = this.#asked;
    const isStored = keep !== null && (await keep(responseOf(request, this.#identity, state, true)));
    return Buffer.from([...events, this.#stream.last(state, isStored)].map((event) => this.#text(event)).join(''));
  }

  async #endPassed(event: Readonly<Record<string, unknown>>, said: Readonly<Record<string, unknown>>): Promise<Buffer> {
    const { keep, request } = this.#asked;
    const isStored = keep !== null && (await keep(ownResponse(said, request, this.#identity, true)));
    return Buffer.from(this.#text(ownEvent(event, request, this.#identity, isStored)));
  }

  broken({ refused, message }: Refusal): Buffer {
    return Buffer.from(this.#failed ? '' : this.#fail({ code: refused, message }));
  }

  #fail(fault: ResponseFault): string {
    this.#failed = true;
    const { events, state } = this.#stream.fail(fault, seconds(this.#asked.now()), this.#passed);
    return [...events, this.#stream.last(state, false)].map((event) => this.#text(event)).join('');
  }

  #text(event: Readonly<Record<string, unknown>>): string {
    const text = eventText(event);
    this.#asked.tell?.(event, text);
    return text;
  }
}

/** Answers in the form of the Responses API, to one request of it. */
export const responsesAnswers = (asked: AskedResponse): AnswerDialect => ({
  ...openaiAnswers,
  name: 'responses',
  answer: async (said, usage, identity) => {
    const { request, now, keep } = asked;
    const itself = identityOf(asked, identity);
    const native = isRecord(said) ? said['native'] : undefined;
    if (isRecord(native)) {
      const isStored = keep !== null && (await keep(ownResponse(native, request, itself, true)));
      return Buffer.from(JSON.stringify(ownResponse(native, request, itself, isStored)));
    }
    const state = wholeResponse(said, request, itself, responseUsage(usage), seconds(now()));
    const response = responseOf(request, itself, state, true);
    const isStored = keep !== null && (await keep(response));
    return Buffer.from(JSON.stringify(isStored ? response : { ...response, store: false }));
  },
  streamWriter: (identity) => new ResponsesStream(asked, identity),
});
