export type WorkerTask =
  | { readonly kind: 'create'; readonly dataFolder: string }
  /** `check` looks for damage in every page, index and row before anybody is served. */
  | { readonly kind: 'serve'; readonly dataFolder: string; readonly socket: string; readonly check: boolean };

export type FromWorker =
  | { readonly kind: 'ready' }
  | { readonly kind: 'damaged'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'closed' };

export interface ToWorker {
  readonly kind: 'close';
}
