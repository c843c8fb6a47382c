import type { Readable } from 'node:stream';

/**
 * Who asks, where that cannot be said by a header that is always the same: whoever sends the request proves it.
 * - `aws`: `key id:secret`, or `key id:secret:session token`; the request itself is signed.
 * - `baidu`: `API key|secret key`; a token is got for it, which goes in the address.
 * - `iflytek`: `app id|API secret|API key`; the address is signed, and the app named in the body’s `header`.
 * - `tencent`: `secret id|secret key`; the request itself is signed.
 * - `zhipu`: `id.secret`; a token is made with it.
 * - `google`: the JSON of a service account's key; a token is got for it, and kept for as long as it holds.
 * - `pair`: `access key|secret key`; a token that soon runs out is signed with the second.
 */
export interface Signing {
  readonly scheme: 'aws' | 'baidu' | 'google' | 'iflytek' | 'pair' | 'tencent' | 'zhipu';
  readonly credential: string;
}

/**
 * How an upstream answers that is spoken to over a WebSocket: the body is the only message that it is sent, and each message that comes is told as a
 * server-sent event of an answer of status 200.
 */
export interface SocketTalk {
  /** The largest message that is taken. */
  readonly frameBytes: number;
  /** Whether more come behind a message; or the status that means the same, where it is an error. One that comes first is told as a plain answer. */
  readonly judge: (message: Buffer) => 'more' | 'last' | { readonly status: number };
}

/** Work that an upstream has taken and not ended. Paths are behind the channel's base URL. */
export interface WorkUnderWay {
  /** Where it says how the work stands. */
  readonly lookAt: string;
  readonly cancelAt: string;
  /** Where it tells the work's events; `null`: nowhere. */
  readonly eventsAt: string | null;
}

/**
 * How an upstream answers that takes work and is asked for it again: it is looked at until it has ended, and cancelled when nobody waits any more. A whole
 * answer is what was said of it last. Where events are wanted, each is told as one of JSON, `{event, data}`, in front of them `{event: "taken", data}` with
 * what was said of it first, and behind them `{event: "work", data}` with what was said of it last.
 */
export interface WorkTalk {
  /** What stands in front of the paths of work. */
  readonly basePath: string;
  readonly wantsEvents: boolean;
  readonly answerBytes: number;
  readonly eventBytes: number;
  /** How it stands, by an answer of success; `null`: it has ended, or says nothing of it. */
  readonly underWay: (body: Buffer) => WorkUnderWay | null;
  /** Hosts of the provider's own, beside the channel's, where its events may be. Nobody else is asked, or told the credential. */
  readonly eventHosts: RegExp;
  /** The event behind which there is none. */
  readonly lastEvents: ReadonlySet<string>;
}

/** A call of an upstream. The body goes out as it is. */
export interface UpstreamRequest {
  /** Scheme, host and port. */
  readonly origin: string;
  readonly path: string;
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** A stream that breaks off ends the exchange. */
  readonly body: Buffer | Readable | null;
  /** True for the sandbox inside this process: its address is ours, not one that somebody typed in. */
  readonly trusted: boolean;
  /** Through which it goes; absent: straight. */
  readonly proxy?: string;
  readonly signing?: Signing;
  /** It is asked over a WebSocket, whatever the method; absent: by HTTP. */
  readonly socket?: SocketTalk;
  /** Its answer has to be waited for. */
  readonly work?: WorkTalk;
  /** Tells all headers of the answer that say something of it, and not only those that the relay goes by. */
  readonly wantsHeaders?: true;
}

/** Why no (whole) answer came. `blocked`: the egress rules forbid the address. `unreachable`: no connection. `broken`: it died on the way. */
export interface UpstreamFault {
  readonly kind: 'blocked' | 'unreachable' | 'broken';
  readonly message: string;
}

/** Told in this order: `headers` once, `data` any number of times, then `end` or `failed`, once. `failed` may come at any time. Nothing is told after an abort. */
export interface UpstreamListener {
  /** Header names in lower case; of a repeated header the last one counts. */
  headers(status: number, headers: UpstreamHeaders): void;
  /** False asks for a pause: nothing more comes until `resume`. */
  data(chunk: Buffer): boolean;
  end(): void;
  failed(fault: UpstreamFault): void;
}

export type UpstreamHeaders = Readonly<Record<string, string | undefined>>;

export interface UpstreamExchange {
  resume(): void;
  /** Ends the exchange and frees its connection. Harmless once it is over. */
  abort(): void;
}

export interface Upstream {
  send(request: UpstreamRequest, listener: UpstreamListener): UpstreamExchange;
}
