import type { IncomingHttpHeaders } from 'node:http';

/**
 * Whether a page of this very server sent the request, as far as the browser tells. A browser always tells one of the two on
 * requests that change something; what is no browser tells nothing, and cannot be made to call by somebody else's page.
 */
export const isSameOrigin = (headers: IncomingHttpHeaders, publicUrl: string | undefined): boolean => {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false;
  const { origin } = headers;
  if (origin === undefined) return true;
  if (publicUrl !== undefined && origin === new URL(publicUrl).origin) return true;
  return URL.canParse(origin) && new URL(origin).host === headers.host;
};
