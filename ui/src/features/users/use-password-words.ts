import { computed, type ComputedRef } from 'vue';
import { useI18n } from 'vue-i18n';

/** How a password is spoken of that was made for somebody and is shown once. */
export const usePasswordWords = (
  name: () => string,
): ComputedRef<Readonly<Record<'title' | 'label' | 'warning' | 'copy' | 'stored' | 'done', string>>> => {
  const { t } = useI18n();
  return computed(() => ({
    title: t('users.password.title', { name: name() }),
    label: t('users.password.label'),
    warning: t('users.password.warning'),
    copy: t('users.password.copy'),
    stored: t('users.password.stored'),
    done: t('users.password.done'),
  }));
};
