import type { KeyHash } from '../../schemas/events/token.ts';

/** An API key as it is made: `secret` is told once and kept nowhere. */
export interface NewApiKey {
  readonly secret: string;
  /** The beginning of the key, for people to recognise it by. */
  readonly shown: string;
  readonly hash: KeyHash;
}

/** How API keys are made and recognised. */
export interface ApiKeys {
  make(): NewApiKey;
  /** What the key is looked up by; `null` when it cannot be one of ours: its shape or its checksum is wrong. Takes under 2 µs. */
  hashOf(presented: string): KeyHash | null;
}
