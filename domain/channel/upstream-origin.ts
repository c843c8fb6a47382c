/**
 * The origin that a channel's base URL points to, `null` when it is not a plain one: credentials in a URL end up in
 * logs, a query, a fragment or a trailing slash breaks the paths that are put behind it, and what is in braces was to be filled in.
 */
export const upstreamOrigin = (baseUrl: string): string | null => {
  let url: URL;
  try {
    url = new URL(baseUrl);
  } catch {
    return null;
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return null;
  if (url.username !== '' || url.password !== '' || /[?#{}]|\/$/.test(baseUrl)) return null;
  return url.origin;
};
