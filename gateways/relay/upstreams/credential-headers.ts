import type { ProviderAuth } from '../../../domain/providers/provider.ts';
import type { Signing } from '../../ports/upstream.ts';

const bearer = (headers: Record<string, string>, credential: string): null => {
  headers['authorization'] = `Bearer ${credential}`;
  return null;
};

/** Puts a credential where its provider looks for it; or says what is to be signed with it, by whoever sends the request. */
export const addCredential = (headers: Record<string, string>, auth: ProviderAuth, credential: string): Signing | null => {
  switch (auth.kind) {
    case 'none':
      return null;
    case 'bearer':
      return bearer(headers, credential);
    case 'header':
      headers[auth.name] = auth.scheme === undefined ? credential : `${auth.scheme} ${credential}`;
      return null;
    case 'aws':
      return credential.includes(':') ? { scheme: 'aws', credential } : bearer(headers, credential);
    case 'google':
      return { scheme: 'google', credential };
    case 'pair':
      return credential.includes('|') ? { scheme: 'pair', credential } : bearer(headers, credential);
    case 'baidu':
    case 'iflytek':
    case 'tencent':
    case 'zhipu':
      return { scheme: auth.kind, credential };
  }
};
