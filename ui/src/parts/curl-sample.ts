/** A call that works when pasted into a shell: the real address, and the key if it was made in this tab. */
export const curlSample = (baseUrl: string, secret: string | null, model: string | null): string =>
  [
    `curl ${baseUrl}/chat/completions \\`,
    `  -H "Authorization: Bearer ${secret ?? '$OBLIVIOUS_API_KEY'}" \\`,
    `  -H "Content-Type: application/json" \\`,
    `  -d '${JSON.stringify({ model: model ?? 'MODEL', messages: [{ role: 'user', content: 'Say hello.' }] })}'`,
  ].join('\n');
