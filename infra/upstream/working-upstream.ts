import type {
  Upstream,
  UpstreamExchange,
  UpstreamFault,
  UpstreamHeaders,
  UpstreamListener,
  UpstreamRequest,
  WorkTalk,
  WorkUnderWay,
} from '../../gateways/ports/upstream.ts';
import { dataOf, EventSplitter, forEachEvent, nameOf } from '../../gateways/relay/sse.ts';

export interface WorkingOptions {
  /** Until it is looked how work stands for the first time; each further wait is half as long again. */
  readonly firstMs?: number;
  readonly mostMs?: number;
}

/** How long a cancellation may go unanswered. */
const CANCEL_MS = 10_000;

/** So many looks in a row may fail before the work is given up. */
const MOST_BLIND = 4;

const isSuccess = (status: number): boolean => status >= 200 && status < 300;

/** A status of the upstream's that may be another one in a moment. */
const mayPass = (status: number): boolean => status === 429 || status >= 500;

interface Answer {
  readonly status: number;
  readonly headers: UpstreamHeaders;
  readonly body: Buffer;
}

const jsonIn = (body: Buffer): unknown => {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return null;
  }
};

const eventOf = (event: string, data: unknown): Buffer => Buffer.from(`data: ${JSON.stringify({ event, data })}\n\n`);

/** One piece of work: handed in, listened to or looked at until it has ended, and told as one answer. */
class Work implements UpstreamExchange {
  readonly #upstream: Upstream;
  readonly #request: UpstreamRequest;
  readonly #talk: WorkTalk;
  readonly #listener: UpstreamListener;
  readonly #mostMs: number;
  #waitMs: number;
  #isOver = false;
  #exchange: UpstreamExchange | null = null;
  #timer: NodeJS.Timeout | null = null;
  #underWay: WorkUnderWay | null = null;
  #isTold = false;
  #blind = 0;

  constructor(upstream: Upstream, request: UpstreamRequest, talk: WorkTalk, listener: UpstreamListener, firstMs: number, mostMs: number) {
    this.#upstream = upstream;
    this.#request = request;
    this.#talk = talk;
    this.#listener = listener;
    this.#waitMs = firstMs;
    this.#mostMs = mostMs;
  }

  begin(): void {
    const { work: _work, ...request } = this.#request;
    this.#ask(request, (answer) => this.#stands(answer));
  }

  resume(): void {
    this.#exchange?.resume();
  }

  abort(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#exchange?.abort();
    if (this.#underWay !== null) this.#cancel(this.#underWay);
  }

  #stands(answer: Answer): void {
    const underWay = isSuccess(answer.status) ? this.#talk.underWay(answer.body) : null;
    if (underWay === null) return this.#tellLast(answer);
    const isNew = this.#underWay === null;
    this.#underWay = underWay;
    if (!isNew) return this.#lookLater();
    const events = this.#talk.wantsEvents ? this.#eventsOf(underWay) : null;
    if (events === null) this.#lookLater();
    else this.#listen(events, answer.body);
  }

  #lookLater(): void {
    this.#timer = setTimeout(() => this.#look(), this.#waitMs);
    this.#waitMs = Math.min(this.#waitMs * 1.5, this.#mostMs);
  }

  #look(): void {
    const underWay = this.#underWay;
    if (this.#isOver || underWay === null) return;
    this.#ask(
      this.#follow('GET', this.#request.origin, `${this.#talk.basePath}${underWay.lookAt}`),
      (answer) => {
        if (isSuccess(answer.status)) this.#blind = 0;
        if (!mayPass(answer.status) || ++this.#blind >= MOST_BLIND) this.#stands(answer);
        else this.#lookLater();
      },
      (fault) => {
        if (++this.#blind >= MOST_BLIND) this.#fail(fault);
        else this.#lookLater();
      },
    );
  }

  #listen(url: URL, taken: Buffer): void {
    const { eventBytes, lastEvents } = this.#talk;
    const splitter = new EventSplitter(eventBytes);
    let hasEvents = false;
    let isHeard = false;
    let exchange: UpstreamExchange | null = null;
    const stop = (): void => {
      if (isHeard || this.#isOver) return;
      isHeard = true;
      exchange?.abort();
      // What it came to, and what it used, is not among the events.
      this.#look();
    };
    exchange = this.#upstream.send(this.#follow('GET', url.origin, `${url.pathname}${url.search}`, 'text/event-stream'), {
      headers: (status) => {
        hasEvents = status === 200;
        if (!hasEvents) return stop();
        this.#tellEvents();
        this.#listener.data(eventOf('taken', jsonIn(taken)));
      },
      data: (chunk) => {
        if (!hasEvents || isHeard || this.#isOver) return true;
        const events = splitter.push(chunk);
        if (events === 'overflow') {
          this.#fail({ kind: 'broken', message: 'an event is larger than any that is taken' });
          return true;
        }
        if (events === null) return true;
        let goOn = true;
        let isLast = false;
        forEachEvent(events, (event) => {
          const data = dataOf(event);
          if (data === null || isLast || this.#isOver) return;
          isLast = lastEvents.has(nameOf(event));
          goOn = this.#listener.data(eventOf(nameOf(event), data));
        });
        if (isLast) stop();
        return goOn;
      },
      end: stop,
      // The work goes on without being listened to.
      failed: stop,
    });
    if (isHeard || this.#isOver) exchange.abort();
    else this.#exchange = exchange;
  }

  /** Sends one request and hears all of its answer. */
  #ask(request: UpstreamRequest, then: (answer: Answer) => void, orElse = (fault: UpstreamFault): void => this.#fail(fault)): void {
    const chunks: Buffer[] = [];
    let bytes = 0;
    let status = 0;
    let headers: UpstreamHeaders = {};
    this.#exchange = this.#upstream.send(request, {
      headers: (answered, told) => {
        status = answered;
        headers = told;
      },
      data: (chunk) => {
        if (this.#isOver) return true;
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes > this.#talk.answerBytes) this.#fail({ kind: 'broken', message: 'the answer is larger than any that is taken' });
        return true;
      },
      end: () => {
        if (!this.#isOver) then({ status, headers, body: Buffer.concat(chunks) });
      },
      failed: (fault) => {
        if (!this.#isOver) orElse(fault);
      },
    });
    if (this.#isOver) this.#exchange.abort();
  }

  #tellEvents(): void {
    if (this.#isTold) return;
    this.#isTold = true;
    this.#listener.headers(200, { 'content-type': 'text/event-stream' });
  }

  #tellLast({ status, headers, body }: Answer): void {
    const wasTaken = this.#underWay !== null;
    this.#isOver = true;
    // It may go on where nobody can see it.
    if (!isSuccess(status) && this.#underWay !== null) this.#cancel(this.#underWay);
    if (isSuccess(status) && this.#talk.wantsEvents) this.#tellEvents();
    if (this.#isTold) {
      if (!isSuccess(status))
        return this.#listener.failed({ kind: 'broken', message: `the upstream answered ${status} to a look at its work` });
      this.#listener.data(eventOf('work', jsonIn(body)));
      return this.#listener.end();
    }
    // Work that was taken and cannot be found again is no fault of the caller's.
    const told = isSuccess(status) ? 200 : wasTaken ? 502 : status;
    this.#listener.headers(told, { ...headers, 'content-type': 'application/json' });
    this.#listener.data(body);
    this.#listener.end();
  }

  #fail(fault: UpstreamFault): void {
    if (this.#isOver) return;
    this.abort();
    this.#listener.failed(fault);
  }

  #eventsOf({ eventsAt }: WorkUnderWay): URL | null {
    if (eventsAt === null || !URL.canParse(eventsAt)) return null;
    const url = new URL(eventsAt);
    if (url.origin === this.#request.origin) return url;
    return url.protocol === 'https:' && this.#talk.eventHosts.test(url.hostname) ? url : null;
  }

  #follow(method: 'GET' | 'POST', origin: string, path: string, accept = 'application/json'): UpstreamRequest {
    const { headers, trusted, proxy, signing } = this.#request;
    const { 'content-type': _type, prefer: _prefer, ...kept } = headers;
    return {
      origin,
      path,
      method,
      headers: { ...kept, accept },
      body: null,
      trusted,
      ...(proxy === undefined ? {} : { proxy }),
      ...(signing === undefined ? {} : { signing }),
    };
  }

  /** Nobody waits for what comes of it. */
  #cancel({ cancelAt }: WorkUnderWay): void {
    const done = (): void => clearTimeout(timer);
    const exchange = this.#upstream.send(this.#follow('POST', this.#request.origin, `${this.#talk.basePath}${cancelAt}`), {
      headers: () => undefined,
      data: () => true,
      end: done,
      failed: done,
    });
    const timer = setTimeout(() => exchange.abort(), CANCEL_MS);
    timer.unref();
  }
}

/** The same way to upstreams, by which those can be asked too that take work and have to be asked for it again. */
export const withWork = <Way extends Upstream>(upstream: Way, { firstMs = 500, mostMs = 5_000 }: WorkingOptions = {}): Way => ({
  ...upstream,
  send: (request: UpstreamRequest, listener: UpstreamListener) => {
    if (request.work === undefined) return upstream.send(request, listener);
    const work = new Work(upstream, request, request.work, listener, firstMs, mostMs);
    work.begin();
    return work;
  },
});
