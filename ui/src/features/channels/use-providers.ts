import { useQuery } from '@pinia/colada';
import { computed, type ComputedRef } from 'vue';
import { useI18n } from 'vue-i18n';
import { listProviders, type Provider } from '../../api/providers.ts';

export interface Providers {
  /** Empty until they are there. */
  readonly all: ComputedRef<readonly Provider[]>;
  /** An id is as good as a name until that is there, and for providers of a later release. */
  readonly nameOf: (id: string) => string;
}

/** Who can be behind a channel. The table comes with the server, so it is asked for once. */
export const useProviders = (): Providers => {
  const { t } = useI18n();
  const query = useQuery({ key: ['providers'], query: ({ signal }) => listProviders(signal), staleTime: 3_600_000 });
  const all = computed(() => query.data.value?.rows ?? []);
  const names = computed(() => new Map(all.value.map(({ id, name }) => [id, name])));
  return { all, nameOf: (id) => (id === 'sandbox' ? t('channels.provider.sandbox') : (names.value.get(id) ?? id)) };
};
