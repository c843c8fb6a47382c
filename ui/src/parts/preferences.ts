import { useStorage, usePreferredDark } from '@vueuse/core';
import { defineStore } from 'pinia';
import { computed, watchEffect } from 'vue';

export const THEMES = ['system', 'light', 'dark'] as const;
export const LOCALES = ['en', 'zh-CN'] as const;
export const CLOCKS = ['local', 'utc'] as const;
export type Theme = (typeof THEMES)[number];
export type Locale = (typeof LOCALES)[number];
export type Clock = (typeof CLOCKS)[number];

const plain = <Value extends string>(options: readonly Value[], initial: Value) => ({
  serializer: {
    read: (text: string): Value => options.find((option) => option === text) ?? initial,
    write: (value: Value): string => value,
  },
});

/** What belongs to this browser and to nobody's account. `theme.js` reads the same two keys before the first paint. */
export const usePreferences = defineStore('preferences', () => {
  const systemLocale: Locale = document.documentElement.lang === 'zh-CN' ? 'zh-CN' : 'en';
  const theme = useStorage<Theme>('oblivious.theme', 'system', undefined, plain(THEMES, 'system'));
  const locale = useStorage<Locale>('oblivious.locale', systemLocale, undefined, { ...plain(LOCALES, systemLocale), writeDefaults: false });
  const clock = useStorage<Clock>('oblivious.clock', 'local', undefined, plain(CLOCKS, 'local'));
  const singleKeys = useStorage('oblivious.single-keys', true);
  const systemDark = usePreferredDark();
  const shownTheme = computed<'light' | 'dark'>(() => (theme.value === 'system' ? (systemDark.value ? 'dark' : 'light') : theme.value));
  const zone = computed(() => (clock.value === 'utc' ? 'UTC' : new Intl.DateTimeFormat().resolvedOptions().timeZone));
  watchEffect(() => {
    document.documentElement.dataset.theme = shownTheme.value;
  });
  return { theme, locale, clock, singleKeys, shownTheme, zone };
});
