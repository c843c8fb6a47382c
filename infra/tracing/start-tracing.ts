import type { Tracing } from './register-provider.ts';

/**
 * Spans are made through the OpenTelemetry API, which does nothing until a provider is registered: that happens here, when an endpoint is configured.
 * Nothing of its SDK is loaded where none is: it takes some 10 MB.
 */
export const startTracing = async (endpoint: string | undefined, serviceVersion: string): Promise<Tracing> => {
  if (endpoint === undefined) return { stop: () => Promise.resolve() };
  const { registerProvider } = await import('./register-provider.ts');
  return registerProvider(endpoint, serviceVersion);
};
