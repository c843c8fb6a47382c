import type { ProviderAuth } from '../../../domain/providers/provider.ts';

/** Puts a credential where its provider looks for it. */
export const addCredential = (headers: Record<string, string>, auth: ProviderAuth, credential: string): void => {
  switch (auth.kind) {
    case 'none':
      return;
    case 'bearer':
      headers['authorization'] = `Bearer ${credential}`;
      return;
    case 'header':
      headers[auth.name] = auth.scheme === undefined ? credential : `${auth.scheme} ${credential}`;
  }
};
