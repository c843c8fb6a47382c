import { ModelMap, type Mapped } from '../../domain/relay/model-mapping.ts';
import type { ChannelSettings } from '../../schemas/events/channel.ts';

export interface UpstreamAddress {
  readonly origin: string;
  /** What stands before `/chat/completions`. */
  readonly path: string;
}

const addresses = new Map<string, UpstreamAddress>();

/** More base URLs than this are not in use at once; old ones are let go all together. */
const MOST_KNOWN = 10_000;

/** A base URL cut at its path. It was checked when the channel was changed; parsing it anew for each call would cost more than the call's routing. */
export const upstreamAddress = (baseUrl: string): UpstreamAddress => {
  let address = addresses.get(baseUrl);
  if (address === undefined) {
    const { origin, pathname } = new URL(baseUrl);
    address = { origin, path: pathname.replace(/\/+$/, '') };
    if (addresses.size >= MOST_KNOWN) addresses.clear();
    addresses.set(baseUrl, address);
  }
  return address;
};

/** Where a channel's calls go; `null` for a sandbox channel where no sandbox runs. */
export const addressOf = (settings: ChannelSettings, sandboxUrl: string | null): UpstreamAddress | null => {
  if (settings.provider !== 'sandbox') return upstreamAddress(settings.baseUrl);
  return sandboxUrl === null ? null : upstreamAddress(sandboxUrl);
};

const modelMaps = new WeakMap<ChannelSettings, ModelMap>();

/** What a channel makes of a model's name; `null` where it does not serve it. */
export const mappedBy = (settings: ChannelSettings, model: string): Mapped | null => {
  let map = modelMaps.get(settings);
  if (map === undefined) {
    map = new ModelMap(settings.models);
    modelMaps.set(settings, map);
  }
  return map.get(model);
};
