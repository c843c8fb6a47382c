import { nextTick } from 'vue';
import { createRouter, createWebHistory, type RouteComponent, type Router, type RouteRecordRaw } from 'vue-router';
import { safeNext } from '../features/session/safe-next.ts';
import type { useSession } from '../parts/session.ts';
import type { WordyRoom } from './i18n/room-words.ts';

const AppShell = () => import('./shell/AppShell.vue');

type Enter = (room: WordyRoom) => Promise<void>;
type Load = () => Promise<{ readonly default: RouteComponent }>;

const roomsOf = (enter: Enter): RouteRecordRaw[] => {
  /** A page and its words, loaded side by side. */
  const worded =
    (room: WordyRoom, load: Load): Load =>
    async () =>
      (await Promise.all([load(), enter(room)]))[0];
  return [
    { path: '', name: 'overview', component: () => import('../features/overview/OverviewPage.vue') },
    { path: 'keys', name: 'keys', component: () => import('../features/keys/KeysPage.vue') },
    { path: 'requests', name: 'requests', component: () => import('../features/requests/RequestsPage.vue') },
    { path: 'tasks', name: 'tasks', component: worded('tasks', () => import('../features/tasks/TasksPage.vue')) },
    { path: 'ledger', name: 'ledger', component: () => import('../features/ledger/LedgerPage.vue') },
    { path: 'exports', name: 'exports', component: () => import('../features/exports/ExportsPage.vue') },
    { path: 'notifications', name: 'notifications', component: () => import('../features/notifications/NotificationsPage.vue') },
    {
      path: 'channels',
      name: 'channels',
      component: worded('channels', () => import('../features/channels/ChannelsPage.vue')),
      meta: { admin: true },
    },
    { path: 'users', name: 'users', component: () => import('../features/users/UsersPage.vue'), meta: { admin: true } },
    {
      path: 'routing',
      name: 'routing',
      component: worded('routing', () => import('../features/routing/RoutingPage.vue')),
      meta: { admin: true },
    },
    {
      path: 'limits',
      name: 'limits',
      component: worded('limits', () => import('../features/limits/LimitsPage.vue')),
      meta: { admin: true },
    },
    { path: 'account', name: 'account', component: () => import('../features/account/AccountPage.vue') },
    { path: ':rest(.*)*', name: 'nowhere', component: () => import('./shell/NowherePage.vue') },
  ];
};

export const createConsoleRouter = (session: ReturnType<typeof useSession>, enter: Enter): Router => {
  const router = createRouter({
    history: createWebHistory(),
    scrollBehavior: (to, from, saved) => saved ?? (to.path === from.path ? false : to.hash === '' ? { top: 0 } : { el: to.hash, top: 64 }),
    routes: [
      { path: '/sign-in', name: 'sign-in', component: () => import('../features/session/SignInPage.vue'), meta: { open: true } },
      { path: '/', component: AppShell, children: roomsOf(enter) },
    ],
  });
  router.beforeEach(async (to) => {
    // A server that cannot be asked must not look like a person who is signed out: the page opens and says what failed.
    const known = await session.ensure().catch(() => null);
    if (to.meta.open === true) return known?.signedIn === true ? safeNext(to.query.next) : true;
    return known?.signedIn === false ? { name: 'sign-in', query: to.fullPath === '/' ? {} : { next: to.fullPath } } : true;
  });
  router.afterEach((to, from, failure) => {
    if (failure !== undefined || to.path === from.path || from.matched.length === 0) return;
    // Pages are loaded on demand, so the heading may come a moment after the route.
    void nextTick(() => requestAnimationFrame(() => document.getElementById('page-title')?.focus({ preventScroll: true })));
  });
  return router;
};
