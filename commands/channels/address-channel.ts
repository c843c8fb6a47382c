import { fillBaseUrl } from '../../domain/providers/fill-base-url.ts';
import { providerOf } from '../../domain/providers/providers.ts';
import { isRefusal, refuse, type Refusal } from '../../schemas/errors.ts';
import type { ChannelSettings } from '../../schemas/events/channel.ts';

/** Settings of a channel whose address may be left to its provider. */
export type AddressedSettings = Omit<ChannelSettings, 'baseUrl'> & { readonly baseUrl?: string | undefined };

/** The settings with an address: the one given, or else the provider's, with its blanks filled. What is kept never depends on the table again. */
export const addressChannel = (settings: AddressedSettings, blanks: Readonly<Record<string, string>> = {}): ChannelSettings | Refusal => {
  const { baseUrl } = settings;
  if (baseUrl !== undefined)
    return Object.keys(blanks).length === 0
      ? { ...settings, baseUrl }
      : refuse('invalid_request', 'A base URL that is given has no blanks to fill.', { param: 'blanks' });
  const provider = providerOf(settings.provider);
  if (provider === undefined)
    return refuse('invalid_request', `The provider "${settings.provider}" is not known here.`, { param: 'settings.provider' });
  const filled = fillBaseUrl(provider, blanks);
  return isRefusal(filled) ? filled : { ...settings, baseUrl: filled };
};
