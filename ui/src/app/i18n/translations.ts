import { watch, type Plugin } from 'vue';
import { createI18n } from 'vue-i18n';
import type { Locale, usePreferences } from '../../parts/preferences.ts';

type Messages = Record<string, unknown>;

/** One chunk per language; only the reader's own is loaded. */
const load: Record<Locale, () => Promise<Messages>> = {
  en: async () => (await import('./en.ts')).messages,
  'zh-CN': async () => (await import('./zh-cn.ts')).messages,
};

/** Follows the preference: loads the language, then switches to it, so that no key is ever seen. */
export const createTranslations = async (preferences: ReturnType<typeof usePreferences>): Promise<Plugin> => {
  const i18n = createI18n({
    legacy: false,
    locale: preferences.locale,
    missingWarn: import.meta.env.DEV,
    fallbackWarn: false,
    messages: {},
  });
  const use = async (locale: Locale): Promise<void> => {
    i18n.global.setLocaleMessage(locale, await load[locale]());
    i18n.global.locale.value = locale;
    document.documentElement.lang = locale;
  };
  await use(preferences.locale);
  watch(
    () => preferences.locale,
    (locale) => void use(locale),
  );
  return i18n;
};
