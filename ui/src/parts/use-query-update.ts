import { useRouter, type LocationQueryRaw, type Router } from 'vue-router';

export type QueryPatch = Readonly<Record<string, string | undefined>>;
export type UpdateQuery = (patch: QueryPatch, how: 'push' | 'replace') => void;

/** Where each router is heading while a navigation is under way. */
const headings = new WeakMap<Router, LocationQueryRaw>();

/**
 * Changes keys of the query, `undefined` removes one. A navigation takes a moment, so a second change in that moment builds
 * on where the first is going: else closing a form and opening what it made would each undo the other.
 */
export const useQueryUpdate = (): UpdateQuery => {
  const router = useRouter();
  return (patch, how) => {
    const here = router.currentRoute.value;
    const query = { ...(headings.get(router) ?? here.query), ...patch };
    headings.set(router, query);
    void router[how]({ query, hash: here.hash }).finally(() => {
      if (headings.get(router) === query) headings.delete(router);
    });
  };
};
