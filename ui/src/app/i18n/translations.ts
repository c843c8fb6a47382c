import { watch, type Plugin } from 'vue';
import { createI18n } from 'vue-i18n';
import type { Locale, usePreferences } from '../../parts/preferences.ts';
import { ROOM_WORDS, type WordyRoom } from './room-words.ts';

type Messages = Record<string, unknown>;

/** One chunk per language; only the reader's own is loaded. */
const load: Record<Locale, () => Promise<Messages>> = {
  en: async () => (await import('./en.ts')).messages,
  'zh-CN': async () => (await import('./zh-cn.ts')).messages,
};
const loadRoom = async (room: WordyRoom, locale: Locale): Promise<Messages> => ({ [room]: (await ROOM_WORDS[room][locale]()).default });

export interface Translations {
  readonly plugin: Plugin;
  /** Resolves once the words of a room are there in the reader's language; from then on they follow the language. */
  readonly enter: (room: WordyRoom) => Promise<void>;
}

/** Follows the preference: loads the language, then switches to it, so that no key is ever seen. */
export const createTranslations = async (preferences: ReturnType<typeof usePreferences>): Promise<Translations> => {
  const i18n = createI18n({
    legacy: false,
    locale: preferences.locale,
    missingWarn: import.meta.env.DEV,
    fallbackWarn: false,
    messages: {},
  });
  const entered = new Set<WordyRoom>();
  const use = async (locale: Locale): Promise<void> => {
    const parts = await Promise.all([load[locale](), ...[...entered].map((room) => loadRoom(room, locale))]);
    // Merged, not set: a room may have been entered while these were on their way.
    for (const part of parts) i18n.global.mergeLocaleMessage(locale, part);
    i18n.global.locale.value = locale;
    document.documentElement.lang = locale;
  };
  const enter = async (room: WordyRoom): Promise<void> => {
    if (entered.has(room)) return;
    const { locale } = preferences;
    const words = await loadRoom(room, locale);
    i18n.global.mergeLocaleMessage(locale, words);
    entered.add(room);
    if (preferences.locale !== locale) await use(preferences.locale);
  };
  await use(preferences.locale);
  watch(
    () => preferences.locale,
    (locale) => void use(locale),
  );
  return { plugin: i18n, enter };
};
