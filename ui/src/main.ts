import './design/tokens.css';
import { PiniaColada } from '@pinia/colada';
import { createPinia } from 'pinia';
import { createApp } from 'vue';
import { onSignedOut } from './api/http.ts';
import App from './app/App.vue';
import { createTranslations } from './app/i18n/translations.ts';
import { createConsoleRouter } from './app/router.ts';
import { usePreferences } from './parts/preferences.ts';
import { useSession } from './parts/session.ts';

const start = async (): Promise<void> => {
  const pinia = createPinia();
  const app = createApp(App).use(pinia);
  const preferences = usePreferences(pinia);
  const session = useSession(pinia);
  const translations = await createTranslations(preferences);
  const router = createConsoleRouter(session, translations.enter);
  onSignedOut(() => {
    if (session.user === null) return;
    session.forget();
    void router.push({ name: 'sign-in', query: { next: router.currentRoute.value.fullPath } });
  });
  app.use(PiniaColada, { queryOptions: { staleTime: 5_000, gcTime: 300_000 } });
  app.use(translations.plugin).use(router);
  app.mount('#app');
};

void start();
