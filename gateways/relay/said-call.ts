import type { Provider } from '../../domain/providers/provider.ts';
import { providerOf } from '../../domain/providers/providers.ts';
import { isRefusal, type Refusal } from '../../schemas/errors.ts';
import type { ChannelSettings } from '../../schemas/events/channel.ts';
import type { DirectoryChannel } from '../ports/directory.ts';
import type { Call } from './call.ts';
import { prompted, rewrites, ruled } from './channel-rewriting.ts';
import type { ParsedRequest } from './endpoints/parsed-request.ts';
import type { RelayLimits } from './relay-limits.ts';
import type { Route } from './route.ts';
import { speaksResponses } from './upstreams/responses-upstream.ts';
import type { Ask, Asked } from './upstreams/upstream-dialect.ts';
import { askUpstream } from './upstreams/upstream-dialects.ts';

/** A request as this dialect is asked: in its client's own format where that is the dialect's too, else in the hub's; or what of it cannot be said there. */
const formFor = (
  parsed: ParsedRequest,
  { dialect, takesExtras }: Provider,
  ruledBy: ChannelSettings | null,
  limits: RelayLimits,
): Pick<Ask, 'parsed' | 'native'> | Refusal => {
  const native = parsed.endpoint === 'chat' ? parsed.native : null;
  // A channel's own text is put into the hub's form.
  const hasText = ruledBy !== null && ruledBy.systemPrompt !== undefined;
  if (native !== null && native.request.dialect === dialect && !hasText) return { parsed, native: native.request };
  const hub = native === null ? parsed : native.hub(takesExtras === true);
  if (isRefusal(hub)) return hub;
  return { parsed: hasText ? prompted(hub, ruledBy, limits) : hub, native: null };
};

/** A body in its upstream's form. */
export interface Said {
  /** Whose rules are in it; `null`: nobody's. */
  readonly ruledBy: ChannelSettings | null;
  readonly ask: Ask;
  readonly asked: Asked;
}

/** A call as the upstreams of its channels are asked it: said anew only where the next one wants it in another form. */
export class SaidCall {
  /** Why the last channel that could not be asked could not; `null` before there was one. */
  unsayable: Refusal | null = null;
  readonly #call: Call;
  readonly #parsed: ParsedRequest;
  readonly #route: Route;
  readonly #loweredOutput: number | null;
  readonly #limits: RelayLimits;
  #said: Said | null = null;

  constructor(call: Call, parsed: ParsedRequest, route: Route, loweredOutput: number | null, limits: RelayLimits) {
    this.#call = call;
    this.#parsed = parsed;
    this.#route = route;
    this.#loweredOutput = loweredOutput;
    this.#limits = limits;
  }

  /** The call as this channel's upstream is asked it; `null` where it cannot be. */
  to({ settings }: DirectoryChannel, upstreamModel: string): Said | null {
    const provider = providerOf(settings.provider);
    if (provider === undefined) return null;
    const said = this.#said;
    const ruledBy = rewrites(settings) ? settings : null;
    const knowsResponses = speaksResponses(settings, provider);
    if (
      said !== null &&
      said.ruledBy === ruledBy &&
      said.ask.upstreamModel === upstreamModel &&
      said.ask.provider === provider &&
      said.ask.speaksResponses === knowsResponses
    )
      return said;
    const form = formFor(this.#parsed, provider, ruledBy, this.#limits);
    if (isRefusal(form)) {
      this.unsayable = form;
      return null;
    }
    const ask: Ask = {
      ...form,
      clientHeaders: this.#call.req.headers,
      provider,
      speaksResponses: knowsResponses,
      upstreamModel,
      loweredOutput: this.#loweredOutput,
      limits: this.#limits,
      modelLimit: this.#route.price.maxOutputTokens ?? null,
      createdAt: Math.floor(this.#call.startedAt / 1_000),
    };
    const asked = askUpstream(ask);
    if (isRefusal(asked)) {
      this.unsayable = asked;
      return null;
    }
    const meant = ruledBy === null ? asked : ruled(asked, ruledBy);
    return meant === null ? null : (this.#said = { ruledBy, ask, asked: meant });
  }
}
