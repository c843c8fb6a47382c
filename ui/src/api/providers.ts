import type { ProviderList, ProviderView } from '../../../schemas/http/providers.ts';
import type { Wire } from '../../../schemas/http/wire.ts';
import { call } from './http.ts';

export type Provider = Wire<typeof ProviderView>;

export const listProviders = (signal?: AbortSignal): Promise<Wire<typeof ProviderList>> => call('GET', '/providers', { signal });
