import type { BatchEndpoint } from '../../../schemas/events/batch.ts';

const OPENAI = { path: '/batches', headers: {} } as const;
const ANTHROPIC = { path: '/messages/batches', headers: { 'anthropic-version': '2023-06-01' } } as const;

/** Where an upstream is asked for batches of this kind, and what else it has to be told each time. */
export const batchAddress = (endpoint: BatchEndpoint): { readonly path: string; readonly headers: Readonly<Record<string, string>> } =>
  endpoint === '/v1/messages' ? ANTHROPIC : OPENAI;
