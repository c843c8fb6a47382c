import type { CallFacts } from '../../schemas/events/lease.ts';
import type { Capability } from '../../schemas/provider.ts';
import type { AddressBlank, Provider } from './provider.ts';
import { providerOf } from './providers.ts';

/** What a kind of call asks of a provider; kinds that no row tells of are missing. */
const ASKED: { readonly [E in CallFacts['endpoint']]?: Capability } = {
  chat: 'chat',
  completions: 'chat',
  embeddings: 'embeddings',
  moderations: 'moderation',
  rerank: 'rerank',
  images: 'images',
  image_edits: 'images',
  image_variations: 'images',
  speech: 'speech',
  transcriptions: 'transcription',
  translations: 'transcription',
};

const BLANKS: { readonly [F in AddressBlank['form']]: string } = { host: '[A-Za-z0-9_.-]+', segment: '[A-Za-z0-9._~-]+' };

const addresses = new Map<string, RegExp>();

/** Whether an address is the provider’s own, with its blanks filled in somehow. */
const isOwnAddress = ({ id, baseUrl: own, blanks = [] }: Provider, baseUrl: string): boolean => {
  if (own === null || blanks.length === 0) return own === baseUrl;
  let address = addresses.get(id);
  if (address === undefined) {
    const plain = own.replace(/[.*+?^$()|[\]\\]/g, '\\$&');
    address = new RegExp(`^${blanks.reduce((text, { name, form }) => text.replaceAll(`{${name}}`, BLANKS[form]), plain)}$`);
    addresses.set(id, address);
  }
  return address.test(baseUrl);
};

/**
 * Whether the provider at this address is known not to take calls of this kind. Nothing is known of what stands behind other addresses, nor of kinds that
 * rows do not tell of.
 */
export const lacksEndpoint = (provider: string, baseUrl: string, endpoint: string): boolean => {
  const asked = ASKED[endpoint as CallFacts['endpoint']];
  const row = asked === undefined ? undefined : providerOf(provider);
  return asked !== undefined && row !== undefined && !row.serves.includes(asked) && isOwnAddress(row, baseUrl);
};
