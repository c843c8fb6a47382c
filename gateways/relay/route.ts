import { servesGroup } from '../../domain/relay/choose-channel.ts';
import type { Routing } from '../../domain/relay/routing-rules.ts';
import { refuse, type Refusal } from '../../schemas/errors.ts';
import type { PriceListId } from '../../schemas/ids.ts';
import type { ModelPrice, Ratio } from '../../schemas/price.ts';
import type { Directory, DirectoryChannel } from '../ports/directory.ts';
import { mayUseModel } from './authenticate.ts';
import { addedTokens } from './channel-rewriting.ts';
import type { Caller, Endpoint } from './call.ts';
import type { Pinned } from './spending-route.ts';
import { moneyOf } from './endpoints/endpoints.ts';

/** Who could serve a call, and at what price. */
export interface Route {
  readonly model: string;
  readonly group: string;
  readonly channels: readonly DirectoryChannel[];
  readonly routing: Routing;
  /** The most that any of the channels adds to the prompt of its own. */
  readonly addedTokens: number;
  readonly priceListId: PriceListId;
  readonly price: ModelPrice;
  readonly groupRatio: Ratio;
}

/** The price is pinned here: whatever happens to the price list while the call runs, this is what it is charged at. */
export const route = (directory: Directory, caller: Caller, asked: string, endpoint: Endpoint): Route | Refusal => {
  const served = directory.channelsForModel(asked);
  const model = served.length > 0 ? asked : (directory.modelMeant(asked) ?? asked);
  if (!mayUseModel(caller, model)) return refuse('model_not_allowed', `This API key may not use the model "${model}".`, { param: 'model' });
  const { group } = caller.user;
  const channels = model === asked ? served : directory.channelsForModel(model);
  if (!channels.some((channel) => servesGroup(channel, group))) {
    return refuse(
      'model_not_found',
      `The model "${model}" does not exist here, or no channel serves it. GET /v1/models lists those that this key may use.`,
      { param: 'model' },
    );
  }
  const listed = directory.price(model);
  if (listed === undefined) {
    return refuse(
      'model_without_price',
      `The model "${model}" has no price, so it cannot be charged and is not served. An administrator can add it to the price list.`,
      { param: 'model' },
    );
  }
  const rules = moneyOf(endpoint);
  if (!rules.kinds.has(listed.price.kind)) {
    return refuse('invalid_request', `The model "${model}" is of the kind "${listed.price.kind}" and cannot be used at this endpoint.`, {
      param: 'model',
    });
  }
  if (!rules.canCharge(listed.price)) {
    return refuse(
      'model_without_price',
      `The price of the model "${model}" does not say what this kind of call costs. An administrator can complete the price list.`,
      { param: 'model' },
    );
  }
  return {
    model,
    group,
    channels,
    routing: directory.routingFor(model, group),
    addedTokens: addedTokens(channels),
    priceListId: listed.priceListId,
    price: listed.price,
    groupRatio: directory.groupRatio(group),
  };
};

/** The same route, with nowhere else to go to. */
export const pinnedTo = (route: Route, { channelId, keyId }: Pinned): Route => ({
  ...route,
  channels: route.channels
    .filter((channel) => channel.channelId === channelId)
    .map((channel) => (keyId === null ? channel : { ...channel, keys: channel.keys.filter((key) => key.keyId === keyId) })),
});
