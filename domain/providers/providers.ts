import type { Provider } from './provider.ts';

/** Every provider, by its id. */
export const PROVIDERS: readonly Provider[] = [
  { id: 'openai', name: 'OpenAI', auth: { kind: 'bearer' }, dialect: 'openai' },
  { id: 'sandbox', name: 'Sandbox', auth: { kind: 'bearer' }, dialect: 'openai', internal: true },
];

const byId: ReadonlyMap<string, Provider> = new Map(PROVIDERS.map((provider) => [provider.id, provider]));

/** `undefined`: a later release knows it, this one does not. */
export const providerOf = (id: string): Provider | undefined => byId.get(id);
