import type { CallFacts } from '../../schemas/events/lease.ts';
import type { Capability } from '../../schemas/provider.ts';
import type { ProviderQuirks } from './provider-quirks.ts';

type Endpoint = CallFacts['endpoint'];

/** How a provider is told who asks. */
export type ProviderAuth =
  | { readonly kind: 'none' }
  /** `Authorization: Bearer …` */
  | { readonly kind: 'bearer' }
  /** The credential in a header of this name (lower case), behind the scheme if there is one. */
  | { readonly kind: 'header'; readonly name: string; readonly scheme?: string }
  /** A key of AWS's, by which every request is signed; what is none of those (`id:secret`) is a bearer. */
  | { readonly kind: 'aws' }
  /** A key of a service account of Google's, by which tokens are got. */
  | { readonly kind: 'google' }
  /** A pair `access key|secret key`, by which short-lived tokens are signed; what is no pair is a bearer. */
  | { readonly kind: 'pair' }
  /** A pair of keys of Baidu’s, by which tokens are got. */
  | { readonly kind: 'baidu' }
  /** An app of iFlytek’s with its pair of keys, by which every address is signed. */
  | { readonly kind: 'iflytek' }
  /** A pair of keys of Tencent’s, by which every request is signed. */
  | { readonly kind: 'tencent' }
  /** A key of Zhipu’s, by which tokens are made. */
  | { readonly kind: 'zhipu' };

/** Wire formats of upstreams that do nothing but tasks. */
export type TaskDialectName = 'kling' | 'suno' | 'midjourney';

/** Wire formats that upstreams speak. */
export type UpstreamDialectName =
  | 'openai'
  | 'azure'
  | 'anthropic'
  | 'gemini'
  | 'cohere'
  | 'ollama'
  | 'bedrock'
  | 'dashscope'
  | 'hunyuan'
  | 'wenxin'
  | 'dify'
  | 'coze'
  | 'spark'
  | 'replicate'
  | TaskDialectName;

/**
 * A part of a provider's address that differs from customer to customer: `{name}` in its base URL.
 * - `host`: labels of a host name. It never stands where it could take the rest of the host along.
 * - `segment`: one segment of a path.
 */
export interface AddressBlank {
  readonly name: string;
  readonly form: 'host' | 'segment';
}

/** Who can be behind a channel: data, from which all channels of that provider work alike. */
export interface Provider {
  /** As channels name it: lower case, digits and hyphens. */
  readonly id: string;
  readonly name: string;
  /** What stands before `/chat/completions`, without a trailing slash, with its blanks in braces; `null` where only the operator knows. */
  readonly baseUrl: string | null;
  readonly blanks?: readonly AddressBlank[];
  readonly auth: ProviderAuth;
  /** Works without a credential. */
  readonly keyless?: true;
  readonly dialect: UpstreamDialectName;
  /** What is known to be offered; others may be too. */
  readonly serves: readonly Capability[];
  /** Where endpoints are that are not at their usual places. */
  readonly paths?: { readonly [E in Endpoint]?: string };
  readonly quirks?: ProviderQuirks;
  /** Bills the whole answer when a stream of it is broken off. */
  readonly billsAborted?: true;
  /** Reads pictures only where they are in the request, and no addresses of them. */
  readonly picturesInline?: true;
  /** Understands what is carried beside OpenAI's form: hints for caches, thoughts with their signatures. Others might refuse it. */
  readonly takesExtras?: true;
  /** In this process: its address is ours, not one that somebody typed in. */
  readonly internal?: true;
}
