import type { Locale } from '../../parts/preferences.ts';

type Load = () => Promise<{ readonly default: Readonly<Record<string, unknown>> }>;

/** Rooms whose words are loaded with them: nobody else's page grows by what only administrators read. */
export const ROOM_WORDS = {
  channels: {
    en: () => import('../../features/channels/locales/en.json'),
    'zh-CN': () => import('../../features/channels/locales/zh-CN.json'),
  },
  limits: {
    en: () => import('../../features/limits/locales/en.json'),
    'zh-CN': () => import('../../features/limits/locales/zh-CN.json'),
  },
  routing: {
    en: () => import('../../features/routing/locales/en.json'),
    'zh-CN': () => import('../../features/routing/locales/zh-CN.json'),
  },
  tasks: {
    en: () => import('../../features/tasks/locales/en.json'),
    'zh-CN': () => import('../../features/tasks/locales/zh-CN.json'),
  },
} as const satisfies Readonly<Record<string, Readonly<Record<Locale, Load>>>>;

export type WordyRoom = keyof typeof ROOM_WORDS;
