import type { IncomingHttpHeaders } from 'node:http';
import type { Provider } from '../../../domain/providers/provider.ts';
import type { Refusal } from '../../../schemas/errors.ts';
import type { SocketTalk, UpstreamExchange, UpstreamListener, WorkTalk } from '../../ports/upstream.ts';
import type { Conversion } from '../convert.ts';
import type { ParsedRequest } from '../endpoints/parsed-request.ts';
import type { HubListener } from '../hub-events.ts';
import type { NativeRequest } from '../native/native-request.ts';
import type { NativeForm } from '../native/native-form.ts';
import type { RelayLimits } from '../relay-limits.ts';

/** A call in the hub's form, on its way to an upstream. */
export interface Ask extends Conversion {
  readonly parsed: ParsedRequest;
  /** The request in its client's own format, where that is this upstream's; `parsed` then says nothing more. */
  readonly native: NativeRequest | null;
  readonly clientHeaders: IncomingHttpHeaders;
  readonly provider: Provider;
  /** The channel's upstream knows the words of the Responses API. */
  readonly speaksResponses?: boolean;
  /** The most that the model can write, as the price list has it; `null` where it does not say. */
  readonly modelLimit: number | null;
  /** Seconds since the epoch, for answers that tell no time of their own. */
  readonly createdAt: number;
  readonly limits: Pick<RelayLimits, 'answerBytes' | 'eventBytes'>;
}

/** Stands between an upstream and whoever listens to it in the hub's form. */
export interface Interpreter extends UpstreamListener {
  /** The exchange that it hears, which it may end; it may have heard something already. */
  begin(exchange: UpstreamExchange): void;
}

/** A call in its upstream's form. It is used again where another key or channel is tried in the same form. */
export interface Asked {
  /** What stands behind a channel's base URL, with a query if there is one. */
  readonly path: string;
  /** Beside those of every call and those of the credential; names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** It is asked over a WebSocket. */
  readonly socket?: SocketTalk;
  /** Its answer has to be waited for. */
  readonly work?: Omit<WorkTalk, 'basePath'>;
  /**
   * Makes what hears the upstream's answer, its errors and its stream, and tells the listener the same in the hub's form: chat
   * completions, server-sent events of their chunks, errors of OpenAI's shape. `null`: the upstream speaks it.
   */
  readonly interpreter: ((listener: HubListener) => Interpreter) | null;
  /** How the answer is read where it goes to the client as it comes, in the format that both speak. */
  readonly native?: NativeForm;
}

/** A wire format that upstreams speak: everything that the relay has to know of it. */
export interface UpstreamDialect {
  /** A refusal where the format cannot say what the call asks for: another channel may. */
  ask(ask: Ask): Asked | Refusal;
  /** Whether a model reads pictures only where they are in the request; absent: it reads their addresses, or the upstream fetches them. */
  wantsPictures?(upstreamModel: string): boolean;
}
