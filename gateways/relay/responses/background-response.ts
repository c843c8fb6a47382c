import { ResponseStream } from '../../../domain/dialects/responses/response-stream.ts';
import { responseIdOf, responseOf, type ResponseIdentity } from '../../../domain/dialects/responses/response.ts';
import { isRecord } from '../../../domain/dialects/loose-json.ts';
import type { Refusal } from '../../../schemas/errors.ts';
import type { ResponseId } from '../../../schemas/ids.ts';
import { KeptContent, type KeptItem } from '../../../schemas/responses/kept-content.ts';
import type { ResponsesRequest } from '../../../schemas/responses/responses-request.ts';
import type { BufferedEvent } from '../../ports/shared-events.ts';
import type { Call, Caller } from '../call.ts';
import { parsedJson } from '../dialects/parsed-json.ts';
import { eventText, type KeepResponse } from '../dialects/responses-answers.ts';
import { saidByError } from '../dialects/said-by-error.ts';
import type { Unheard } from '../detached-call.ts';
import { sendJson } from '../answer.ts';
import type { Background } from '../spending-route.ts';
import { resumeStream } from './resume-stream.ts';
import { archiveCaller, type Archive } from './archive.ts';
import type { BackgroundCalls } from './background-calls.ts';

type Json = Readonly<Record<string, unknown>>;

const CANCELLED = { code: 'response_cancelled', message: 'The response was cancelled.' } as const;

/** One answer that is made while nobody waits for it: said to be begun, kept at its end whatever that is, its events buffered meanwhile. */
export class BackgroundResponse implements Background {
  readonly responseId: ResponseId;
  readonly #archive: Archive;
  readonly #calls: BackgroundCalls;
  readonly #client: Call;
  readonly #caller: Caller;
  readonly #request: ResponsesRequest;
  readonly #identity: ResponseIdentity;
  readonly #input: readonly KeptItem[];
  readonly #lineage: readonly string[];
  readonly #keepWhole: KeepResponse;
  readonly #now: () => number;
  #say: ((event: BufferedEvent) => void) | null = null;
  #said = 0;
  #begun: Promise<Refusal | null> | null = null;
  #failed: Json | null = null;
  #isKept = false;

  constructor(options: {
    readonly archive: Archive;
    readonly calls: BackgroundCalls;
    readonly client: Call;
    readonly caller: Caller;
    readonly request: ResponsesRequest;
    readonly identity: ResponseIdentity;
    readonly input: readonly KeptItem[];
    readonly lineage: readonly string[];
    /** Keeps an answer once it is said to be begun. */
    readonly keep: KeepResponse;
    readonly now: () => number;
  }) {
    this.responseId = responseIdOf(options.identity.idBody) as ResponseId;
    this.#archive = options.archive;
    this.#calls = options.calls;
    this.#client = options.client;
    this.#caller = options.caller;
    this.#request = options.request;
    this.#identity = options.identity;
    this.#input = options.input;
    this.#lineage = options.lineage;
    this.#keepWhole = options.keep;
    this.#now = options.now;
  }

  /** At once: with what it is before there is anything in it, or with its events as they come. */
  async answer(client: Call): Promise<void> {
    if (this.#request.stream !== true) return sendJson(client, 200, this.#queued());
    // It is made here, so it is over when its last event has come.
    await resumeStream(client, this.#calls.events, this.responseId, -1, () => Promise.resolve(false));
  }

  #queued(): Json {
    return responseOf(
      this.#request,
      this.#identity,
      { status: 'queued', output: [], usage: null, error: null, incomplete: null, completedAt: null },
      true,
    );
  }

  /** Says that it is being made, now that its money is set aside. */
  begin(call: Call): Promise<Refusal | null> {
    this.#say = this.#calls.begin(this.responseId, call);
    const content = { response: { ...this.#queued(), status: 'in_progress' }, input: [...this.#input], lineage: [...this.#lineage] };
    return (this.#begun = this.#archive.responses.begin(archiveCaller(this.#client, this.#caller), {
      responseId: this.responseId,
      requestId: this.#client.requestId,
      model: this.#request.model,
      content: KeptContent.parse(content),
    }));
  }

  readonly keep: KeepResponse = async (response) => {
    if ((await this.#begun) !== null) return false;
    return (this.#isKept = await this.#keepWhole(response));
  };

  /** Told of each event as it is sent. */
  readonly tell = (event: Json, text: string): void => {
    const { type, response } = event;
    const isLast = type === 'response.completed' || type === 'response.incomplete' || type === 'response.failed';
    if (type === 'response.failed' && isRecord(response)) this.#failed = response;
    this.#tell(text, isLast);
  };

  /** The call is over: what has no end yet is given one. */
  async ended(call: Call, { body }: Unheard): Promise<void> {
    if (this.#begun === null) return;
    try {
      if ((await this.#begun) !== null) return;
      if (call.interrupted === 'client_left')
        this.#tell(eventText({ type: 'error', sequence_number: this.#said, ...CANCELLED, param: null }), true);
      else if (!this.#isKept) await this.keep(this.#failed ?? this.#fail(body));
    } finally {
      this.#calls.end(this.responseId);
    }
  }

  #tell(text: string, isLast: boolean): void {
    this.#say?.({ number: this.#said++, text, isLast });
  }

  /** Of an answer that never began, or could not be kept as it was. */
  #fail(body: Buffer): Json {
    const said = parsedJson(body.toString('utf8'));
    const stream = new ResponseStream(this.#request, this.#identity, true);
    const message = isRecord(said) ? saidByError(said['error']) : 'The answer could not be kept.';
    const { events, state } = stream.fail({ code: 'upstream_failed', message }, Math.floor(this.#now() / 1_000), this.#said);
    const last = stream.last(state, true);
    for (const event of [...events, last]) this.tell(event, eventText(event));
    return last['response'] as Json;
  }
}
