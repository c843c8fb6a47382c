import type { FirstRunSettings } from '../../commands/installation/initialise.ts';
import { SANDBOX_MODELS, sandboxPrices } from '../../gateways/sandbox/prices.ts';
import type { Config } from '../../schemas/config.ts';
import type { ChannelSettings } from '../../schemas/events/channel.ts';
import { RATIO_ONE } from '../../schemas/price.ts';
import { SANDBOX_ADDRESS } from '../../schemas/sandbox-address.ts';
import { shippedPriceList } from '../prices/price-list.ts';

/** The simulated provider is on where nobody said otherwise and there is nothing to protect: in the embedded profile. */
export const isSandboxOn = (config: Config): boolean =>
  config.OBLIVIOUS_SANDBOX === 'on' || (config.OBLIVIOUS_SANDBOX === 'auto' && config.DATABASE_URL === undefined);

const sandboxChannel: ChannelSettings = {
  name: 'Sandbox (simulated answers)',
  provider: 'sandbox',
  baseUrl: SANDBOX_ADDRESS,
  models: SANDBOX_MODELS.map((model) => ({ model, upstreamModel: model })),
  priority: 0,
  weight: 1,
  groups: null,
  costRatio: RATIO_ONE,
};

/** What a new installation begins with. */
export const firstRunSettings = async (config: Config): Promise<FirstRunSettings> => {
  const shipped = await shippedPriceList();
  return {
    adminEmail: 'admin@oblivious.local',
    trialCredit: config.OBLIVIOUS_TRIAL_CREDIT,
    priceList: { ...shipped, models: [...shipped.models, ...sandboxPrices] },
    channels: isSandboxOn(config) ? [sandboxChannel] : [],
  };
};
