import type { UsageReading } from '../../../domain/pricing/openai-usage.ts';
import type { Refusal } from '../../../schemas/errors.ts';
import type { UpstreamExchange, UpstreamFault, UpstreamHeaders, UpstreamListener } from '../../ports/upstream.ts';
import { sendHead } from '../answer.ts';
import type { Call, Interruptible, Interruption } from '../call.ts';
import type { RelayLimits } from '../relay-limits.ts';
import type { Stopwatch } from '../../ports/stopwatch.ts';
import type { Watch, Watched } from '../watch.ts';
import { answeredHeaders } from './passed-headers.ts';
import { usageEar, type UsageEar } from './passed-usage.ts';

/**
 * What became of an exchange.
 * - `unanswered`: no answer came, and the client has got nothing yet.
 * - `answered`: all of it came; the last bytes wait in `rest`.
 * - `broken`: it began and did not come to its end.
 */
export type Passed =
  | {
      readonly kind: 'unanswered';
      readonly why: 'timed_out' | 'interrupted' | 'not_recorded' | UpstreamFault['kind'];
      readonly refusal: Refusal | null;
    }
  | { readonly kind: 'judged'; readonly status: number; readonly headers: UpstreamHeaders }
  | { readonly kind: 'answered' | 'broken'; readonly status: number; readonly reading: UsageReading; readonly rest: Buffer };

export interface PassingOptions {
  /** Whether the call has a charge. Its answer begins once its hold is on record, and ends once its charge is. */
  readonly recorded: Promise<Refusal | null> | null;
  readonly model: string;
  readonly withinMs: number;
  /** More headers of the answer. */
  readonly headers: readonly string[];
  /** Whether the client may see an answer of this status; else nothing of it goes out. */
  readonly mayPass: (status: number) => boolean;
}

const NOTHING: Buffer = Buffer.alloc(0);
/** What may wait for a hold to be on record. */
const WAITING_BYTES = 256 * 1024;

const ABSENT: UsageReading = { kind: 'absent' };

/** Passes one answer on as it comes, whatever it is. A client that does not read pauses the upstream; one that left with a charge to come does not end it. */
export class Passing implements UpstreamListener, Watched, Interruptible {
  place = -1;
  readonly #deps: { readonly limits: RelayLimits; readonly stopwatch: Stopwatch; readonly watch: Watch };
  readonly #call: Call;
  readonly #options: PassingOptions;
  readonly #resolve: (passed: Passed) => void;
  readonly #onDrain = (): void => this.#drained();
  readonly #begun: number;
  #exchange: UpstreamExchange | null = null;
  #status = 0;
  #headers: UpstreamHeaders | null = null;
  #ear: UsageEar | null = null;
  #isOpen = false;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  /** The last that came: goes out with the end only. */
  #last: Buffer = NOTHING;
  #ending: 'answered' | 'broken' | null = null;
  #lastData: number;
  #unreadSince: number | null = null;
  #isOver = false;

  constructor(
    deps: { readonly limits: RelayLimits; readonly stopwatch: Stopwatch; readonly watch: Watch },
    call: Call,
    options: PassingOptions,
    resolve: (passed: Passed) => void,
  ) {
    this.#deps = deps;
    this.#call = call;
    this.#options = options;
    this.#resolve = resolve;
    this.#begun = this.#lastData = deps.stopwatch.elapsed();
  }

  begin(send: (listener: UpstreamListener) => UpstreamExchange): void {
    this.#call.running = this;
    this.#deps.watch.add(this);
    this.#exchange = send(this);
    if (this.#isOver) this.#exchange.abort();
  }

  headers(status: number, headers: UpstreamHeaders): void {
    if (this.#isOver) return;
    this.#status = status;
    this.#headers = headers;
    this.#lastData = this.#deps.stopwatch.elapsed();
    if (!this.#options.mayPass(status)) {
      this.#exchange?.abort();
      return this.#finish({ kind: 'judged', status, headers });
    }
    const { recorded, model } = this.#options;
    if (recorded === null) return this.#open();
    if (status < 400) this.#ear = usageEar(headers['content-type'] ?? '', model, this.#deps.limits);
    void recorded.then((refusal) => {
      if (this.#isOver) return;
      if (refusal === null) return this.#open();
      this.#exchange?.abort();
      this.#finish({ kind: 'unanswered', why: 'not_recorded', refusal });
    });
  }

  data(chunk: Buffer): boolean {
    if (this.#isOver) return true;
    this.#lastData = this.#deps.stopwatch.elapsed();
    this.#ear?.push(chunk);
    if (this.#isOpen) return this.#pass(chunk);
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
    return this.#waitingBytes <= WAITING_BYTES;
  }

  end(): void {
    this.#came('answered');
  }

  failed({ kind }: UpstreamFault): void {
    if (this.#isOver) return;
    if (this.#headers === null) this.#finish({ kind: 'unanswered', why: kind, refusal: null });
    else this.#came('broken');
  }

  interrupt(why: Interruption): void {
    if (this.#isOver) return;
    // What it used is told at its end only, and is charged whether or not anybody waits for it.
    if (why === 'client_left' && this.#options.recorded !== null && (this.#headers === null || this.#ear !== null)) {
      this.#exchange?.resume();
      return;
    }
    this.#exchange?.abort();
    if (this.#headers === null || !this.#isOpen) this.#finish({ kind: 'unanswered', why: 'interrupted', refusal: null });
    else this.#ended('broken');
  }

  check(now: number): void {
    const { limits } = this.#deps;
    if (this.#isOver) return;
    if (this.#headers === null) {
      if (now - this.#begun <= this.#options.withinMs) return;
      this.#exchange?.abort();
      this.#finish({ kind: 'unanswered', why: 'timed_out', refusal: null });
    } else if (
      (this.#unreadSince !== null && now - this.#unreadSince > limits.unreadMs) ||
      (this.#unreadSince === null && now - this.#lastData > limits.silenceMs) ||
      now - this.#begun > limits.streamMs
    ) {
      this.#exchange?.abort();
      this.#came('broken');
    }
  }

  #open(): void {
    const call = this.#call;
    this.#isOpen = true;
    if (!call.clientGone) {
      call.firstByteMs = Math.round(this.#deps.stopwatch.elapsed() - call.begun);
      sendHead(call, this.#status, [...answeredHeaders(this.#headers ?? {}), ...this.#options.headers]);
      call.res.on('drain', this.#onDrain);
    }
    const waiting = this.#waiting;
    this.#waiting = [];
    let goOn = true;
    for (const chunk of waiting) goOn = this.#pass(chunk) && goOn;
    if (this.#ending !== null) this.#ended(this.#ending);
    else if (this.#waitingBytes > WAITING_BYTES && goOn) this.#exchange?.resume();
  }

  #pass(chunk: Buffer): boolean {
    if (this.#options.recorded === null) return this.#write(chunk);
    const before = this.#last;
    this.#last = chunk;
    return before.length === 0 || this.#write(before);
  }

  #write(bytes: Buffer): boolean {
    const call = this.#call;
    if (call.clientGone) return true;
    if (call.res.write(bytes)) return true;
    this.#unreadSince = this.#deps.stopwatch.elapsed();
    return false;
  }

  #drained(): void {
    if (this.#isOver) return;
    this.#unreadSince = null;
    this.#lastData = this.#deps.stopwatch.elapsed();
    this.#exchange?.resume();
  }

  #came(kind: 'answered' | 'broken'): void {
    if (this.#isOver) return;
    if (this.#isOpen) this.#ended(kind);
    else this.#ending = kind;
  }

  #ended(kind: 'answered' | 'broken'): void {
    this.#finish({ kind, status: this.#status, reading: this.#ear?.reading() ?? ABSENT, rest: this.#last });
  }

  #finish(passed: Passed): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#call.running = null;
    this.#call.res.off('drain', this.#onDrain);
    this.#deps.watch.remove(this);
    this.#resolve(passed);
  }
}
