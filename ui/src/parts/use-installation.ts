import { useQuery } from '@pinia/colada';
import type { Ref } from 'vue';
import { readInstallation } from '../api/installation.ts';

/** What this server is and where it answers; `undefined` until it is there. It comes with the server, so it is seldom asked for. */
export const useInstallation = (): Ref<Awaited<ReturnType<typeof readInstallation>> | undefined> =>
  useQuery({ key: ['installation'], query: ({ signal }) => readInstallation(signal), staleTime: 300_000 }).data;
