import { filteredBy } from '../../domain/relay/channel-filter.ts';
import type { Hindrance, RoutingFacts } from '../../domain/relay/choose-channel.ts';
import type { Capability } from '../../schemas/events/channel.ts';
import type { ChannelId, ChannelKeyId } from '../../schemas/ids.ts';
import type { DirectoryChannel } from '../ports/directory.ts';
import type { ChannelStates } from './channel-states.ts';
import type { Route } from './route.ts';
import { addressOf, mappedBy } from './upstream-address.ts';

const NOTHING: readonly Capability[] = [];

/** What routing is done by for one call: what it asks for, what has been tried for it, and how the channels are. */
export class CallRouting implements RoutingFacts<DirectoryChannel> {
  readonly affinity: string | null;
  random = 0;
  readonly #route: Pick<Route, 'model' | 'group' | 'routing'>;
  readonly #endpoint: string;
  readonly #capabilities: () => readonly Capability[];
  readonly #states: ChannelStates;
  readonly #sandboxUrl: string | null;
  #needs: readonly Capability[] | null = null;
  #turn: number | null = null;
  /** Most calls are answered at once and never need either. */
  #triedChannels: Set<ChannelId> | null = null;
  #triedKeys: Set<ChannelKeyId> | null = null;

  constructor(
    route: Pick<Route, 'model' | 'group' | 'routing'>,
    call: { readonly endpoint: string; readonly affinity: string | null; readonly capabilities: () => readonly Capability[] },
    states: ChannelStates,
    sandboxUrl: string | null,
  ) {
    this.#route = route;
    this.#endpoint = call.endpoint;
    this.#capabilities = call.capabilities;
    this.affinity = call.affinity;
    this.#states = states;
    this.#sandboxUrl = sandboxUrl;
  }

  get strategy(): Route['routing']['strategy'] {
    return this.#route.routing.strategy;
  }

  get turn(): number {
    return (this.#turn ??= this.#states.turn(this.#route.model));
  }

  get triedKeys(): ReadonlySet<ChannelKeyId> | null {
    return this.#triedKeys;
  }

  /** Not again for this call. */
  passOver(channelId: ChannelId): void {
    (this.#triedChannels ??= new Set()).add(channelId);
  }

  passOverKey(keyId: ChannelKeyId): void {
    (this.#triedKeys ??= new Set()).add(keyId);
  }

  hindrance(channel: DirectoryChannel): Hindrance | null {
    const { model, group } = this.#route;
    const { channelId, settings } = channel;
    if (this.#triedChannels !== null && this.#triedChannels.has(channelId)) return 'tried';
    const lacks = mappedBy(settings, model)?.lacks ?? NOTHING;
    const capabilities = lacks.length === 0 ? NOTHING : (this.#needs ??= this.#capabilities());
    return (
      filteredBy(settings, lacks, group, this.#endpoint, capabilities) ??
      this.#states.hindrance(channel, model, this.#triedKeys) ??
      (addressOf(settings, this.#sandboxUrl) === null ? 'no_address' : null)
    );
  }

  inFlight(channel: DirectoryChannel): number {
    return this.#states.inFlight(channel);
  }

  latencyMs(channel: DirectoryChannel): number | null {
    return this.#states.latencyMs(channel);
  }
}
