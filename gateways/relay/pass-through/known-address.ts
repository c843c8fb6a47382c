import type { Request } from 'express';
import type { SpendingRoute } from '../spending-route.ts';
import { GEMINI_METHODS, MESSAGES } from '../spending-routes.ts';
import { behindVersion, type PassedAddress } from './passed-address.ts';

const GEMINI = /^(?:.*\/)?models\/(.+):([A-Za-z]+)$/;

/**
 * The relay's own call for what is asked of a provider by the provider's own address, where the relay knows it and speaks of it as the provider
 * does: it is served, tried again, held and charged as at the relay's own address, but by that provider only. `null`: it is passed on unread.
 */
export const knownAddress = (
  { provider, rest }: PassedAddress,
  req: Request,
  known: ReadonlyMap<string, SpendingRoute>,
): SpendingRoute | null => {
  if (req.method !== 'POST') return null;
  const address = behindVersion(rest);
  switch (provider.dialect) {
    case 'openai':
      return known.get(`/v1/${address}`) ?? null;
    case 'anthropic':
      return address === 'messages' ? (known.get(MESSAGES) ?? null) : null;
    case 'cohere':
      return address === 'rerank' ? (known.get('/v2/rerank') ?? null) : null;
    case 'gemini': {
      const [, model, method = ''] = GEMINI.exec(rest) ?? [];
      return model === undefined ? null : (GEMINI_METHODS.get(method)?.(decodeURIComponent(model), req) ?? null);
    }
    default:
      return null;
  }
};
