/** Why a choice ended, in the only words that OpenAI's clients know. */
export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter';

/** What has to be different about the members of a body. All names are of the top level. */
export interface MemberRules {
  /** Refused by the provider, with nothing to say instead. */
  readonly drop?: readonly string[];
  /** Known by another name. Where the other name is there already, it stands. */
  readonly rename?: Readonly<Record<string, string>>;
  /** Numbers beyond these are refused by the provider. */
  readonly most?: Readonly<Record<string, number>>;
}

/** Where a provider that speaks OpenAI's format speaks it differently. Each member is acted on. */
export interface ProviderQuirks {
  readonly chat?: MemberRules;
  readonly embeddings?: MemberRules;
  /** Reasons of its own, and which of OpenAI's each comes to. */
  readonly finishReasons?: Readonly<Record<string, FinishReason>>;
  /** Errors come with a status of success, told by `base_resp.status_code`. */
  readonly errorsInSuccess?: 'base_resp';
}
