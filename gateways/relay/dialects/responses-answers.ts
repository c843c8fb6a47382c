import { isRecord } from '../../../domain/dialects/loose-json.ts';
import { responseOf, type ResponseIdentity } from '../../../domain/dialects/responses/response.ts';
import {
  ResponseStream,
  wholeResponse,
  type ResponseEvent,
  type ResponseFault,
} from '../../../domain/dialects/responses/response-stream.ts';
import { responseUsage } from '../../../domain/dialects/responses/usage.ts';
import type { Refusal } from '../../../schemas/errors.ts';
import type { RequestId } from '../../../schemas/ids.ts';
import type { ResponsesRequest } from '../../../schemas/responses/responses-request.ts';
import type { Usage } from '../../../schemas/usage.ts';
import { dataOf, forEachEvent, isDone } from '../sse.ts';
import type { AnswerDialect, AnswerIdentity, StreamWriter } from './answer-dialect.ts';
import { openaiAnswers } from './openai-answers.ts';
import { parsedJson } from './parsed-json.ts';
import { saidByError } from './said-by-error.ts';

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
}

const seconds = (ms: number): number => Math.floor(ms / 1_000);

/** What stands behind the prefix of a request's id stands behind those of what it makes. */
export const idBodyOf = (requestId: RequestId): string => requestId.replace(/^req_/, '');

const identityOf = ({ startedAt }: AskedResponse, { requestId, model }: AnswerIdentity): ResponseIdentity => ({
  idBody: idBodyOf(requestId),
  model,
  createdAt: seconds(startedAt),
});

const eventText = (event: ResponseEvent): string => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;

class ResponsesStream implements StreamWriter {
  readonly #asked: AskedResponse;
  readonly #identity: ResponseIdentity;
  readonly #stream: ResponseStream;
  /** The upstream said itself what was wrong; nothing may follow that. */
  #failed = false;

  constructor(asked: AskedResponse, identity: AnswerIdentity) {
    this.#asked = asked;
    this.#identity = identityOf(asked, identity);
    this.#stream = new ResponseStream(asked.request, this.#identity, asked.keep !== null && asked.request.store !== false);
  }

  write(events: Buffer): Buffer {
    let text = '';
    forEachEvent(events, (one) => {
      const data = dataOf(one);
      if (data === null || isDone(data) || this.#failed) return;
      const chunk = parsedJson(data);
      const error = isRecord(chunk) ? chunk['error'] : undefined;
      if (error !== undefined && error !== null) text += this.#fail({ code: 'upstream_failed', message: saidByError(error) });
      else for (const event of this.#stream.push(chunk)) text += eventText(event);
    });
    return Buffer.from(text);
  }

  async end(usage: Usage): Promise<Buffer> {
    const { events, state } = this.#stream.end(responseUsage(usage), seconds(this.#asked.now()));
    const { keep, request } = this.#asked;
    const isStored = keep !== null && (await keep(responseOf(request, this.#identity, state, true)));
    return Buffer.from([...events, this.#stream.last(state, isStored)].map(eventText).join(''));
  }

  broken({ refused, message }: Refusal): Buffer {
    return Buffer.from(this.#failed ? '' : this.#fail({ code: refused, message }));
  }

  #fail(fault: ResponseFault): string {
    this.#failed = true;
    const { events, state } = this.#stream.fail(fault, seconds(this.#asked.now()));
    return [...events, this.#stream.last(state, false)].map(eventText).join('');
  }
}

/** Answers in the form of the Responses API, to one request of it. */
export const responsesAnswers = (asked: AskedResponse): AnswerDialect => ({
  ...openaiAnswers,
  name: 'responses',
  answer: async (completion, usage, identity) => {
    const { request, now, keep } = asked;
    const itself = identityOf(asked, identity);
    const state = wholeResponse(parsedJson(completion.toString('utf8')), request, itself, responseUsage(usage), seconds(now()));
    const response = responseOf(request, itself, state, true);
    const isStored = keep !== null && (await keep(response));
    return Buffer.from(JSON.stringify(isStored ? response : { ...response, store: false }));
  },
  streamWriter: (identity) => new ResponsesStream(asked, identity),
});
