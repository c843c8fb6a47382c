import type { HeaderRule } from '../../schemas/events/channel-rules.ts';

/** Headers that say who asks, or that belong to one connection and its body: nobody sets them, and none of a client's goes on. */
const RESERVED: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'proxy-authenticate',
  'proxy-connection',
  'x-api-key',
  'x-goog-api-key',
  'api-key',
  'cookie',
  'set-cookie',
  'host',
  'connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
  'content-length',
  'content-type',
  'content-encoding',
  'accept',
  'accept-encoding',
]);

/** What is wrong with a rule; `null`: nothing. `credentialHeader`: where the channel's provider looks for the credential. */
export const headerRuleFault = (rule: HeaderRule, credentialHeader: string | null): string | null => {
  const named = rule.op === 'pass' ? [rule.name, rule.as ?? rule.name] : [rule.name];
  const reserved = named.find((name) => RESERVED.has(name) || name === credentialHeader || name.startsWith('sec-'));
  return reserved === undefined ? null : `${reserved} is not a header that rules are for`;
};

/** Changes the headers of a call in place. `client`: those of the client's request. */
export const applyHeaderRules = (
  headers: Record<string, string>,
  rules: readonly HeaderRule[],
  client: Readonly<Record<string, string | readonly string[] | undefined>>,
): void => {
  for (const rule of rules) {
    switch (rule.op) {
      case 'set':
        headers[rule.name] = rule.value;
        break;
      case 'default':
        headers[rule.name] ??= rule.value;
        break;
      case 'delete':
        delete headers[rule.name];
        break;
      case 'pass': {
        const sent = client[rule.name];
        if (sent !== undefined) headers[rule.as ?? rule.name] = typeof sent === 'string' ? sent : sent.join(', ');
      }
    }
  }
};
