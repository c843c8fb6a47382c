import type { InstallationView } from '../../../schemas/http/status.ts';
import type { Wire } from '../../../schemas/http/wire.ts';
import { call } from './http.ts';

export type Installation = Wire<typeof InstallationView>;

export const readInstallation = (signal?: AbortSignal): Promise<Installation> => call('GET', '/installation', { signal });
