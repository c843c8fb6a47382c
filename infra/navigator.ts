/**
 * The name of what runs this, as Node itself has it from version 21 on. Where there is none, the client of PostgreSQL makes a `Response` to find out whether it runs at
 * Cloudflare, for which Node loads all of its `fetch`.
 */
if (!('navigator' in globalThis))
  Object.defineProperty(globalThis, 'navigator', {
    value: Object.freeze({ userAgent: `Node.js/${process.versions.node.split('.')[0] ?? ''}` }),
    configurable: true,
    writable: true,
  });
