/** How a provider is told who asks. */
export type ProviderAuth =
  | { readonly kind: 'none' }
  /** `Authorization: Bearer …` */
  | { readonly kind: 'bearer' }
  /** The credential as it is, in a header of this name (lower case). */
  | { readonly kind: 'header'; readonly name: string };

/** Wire formats that upstreams speak. */
export type UpstreamDialectName = 'openai';

/** Who can be behind a channel: data, from which all channels of that provider work alike. */
export interface Provider {
  /** As channels name it: lower case, digits and hyphens. */
  readonly id: string;
  readonly name: string;
  readonly auth: ProviderAuth;
  readonly dialect: UpstreamDialectName;
  /** In this process: its address is ours, not one that somebody typed in. */
  readonly internal?: true;
}
