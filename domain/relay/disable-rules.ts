import type { DisableRule } from '../../schemas/events/channel-rules.ts';

/** What an upstream said of a call that it did not answer. */
export interface UpstreamError {
  readonly status: number;
  readonly code: string | null;
  readonly type: string | null;
  /** All of it, or its beginning. */
  readonly text: string;
}

/**
 * What providers say of an account that will serve nobody until somebody acts: whatever the status, every call with its key is lost. (401 and
 * 403 disable the key without a rule.)
 */
export const DEFAULT_DISABLE_RULES: readonly DisableRule[] = [
  {
    codes: [
      'account_deactivated',
      'account_suspended',
      'billing_not_active',
      'billing_hard_limit_reached',
      'access_terminated',
      'arrearage',
    ],
    disables: 'key',
  },
  {
    texts: [
      'your credit balance is too low',
      'organization has been disabled',
      'organization has been deactivated',
      'account has been deactivated',
      'account is not active',
      'account has been suspended',
      'api key has been disabled',
      'security token included in the request is invalid',
    ],
    disables: 'key',
  },
];

const fits = ({ statuses, codes, texts }: DisableRule, { status, code, type, text }: UpstreamError): boolean => {
  if (statuses === undefined && codes === undefined && texts === undefined) return false;
  if (statuses !== undefined && !statuses.includes(status)) return false;
  if (codes !== undefined && !codes.some((each) => [code, type].some((said) => said?.toLowerCase() === each.toLowerCase()))) return false;
  if (texts === undefined) return true;
  const said = text.toLowerCase();
  return texts.some((each) => said.includes(each.toLowerCase()));
};

/** What an answer takes out of use by the first rule that it fits; `null`: nothing. */
export const disabledBy = (rules: readonly DisableRule[], error: UpstreamError): DisableRule['disables'] | null =>
  rules.find((rule) => fits(rule, error))?.disables ?? null;
