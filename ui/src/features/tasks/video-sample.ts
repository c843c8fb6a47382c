/** Submits a video when pasted into a shell: the real address, and the key if it was made in this tab. */
export const videoSample = (baseUrl: string, secret: string | null): string =>
  [
    `curl ${baseUrl}/videos \\`,
    `  -H "Authorization: Bearer ${secret ?? '$OBLIVIOUS_API_KEY'}" \\`,
    `  -H "Content-Type: application/json" \\`,
    `  -d '${JSON.stringify({ model: 'MODEL', prompt: 'A calm sea at dawn.', seconds: '4' })}'`,
  ].join('\n');
