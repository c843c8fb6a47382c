import { toDollarText } from '../../../domain/ledger/money.ts';
import { refuse, type Refusal } from '../../../schemas/errors.ts';
import type { LimitRule } from '../../../schemas/limits.ts';

const NAMES: { readonly [M in LimitRule['measure']]: string } = {
  requests: 'requests',
  inputTokens: 'input tokens',
  outputTokens: 'output tokens',
  tokens: 'tokens',
  money: 'dollars',
  inFlight: 'requests at once',
};

/** A client that is told to wait longer than a day should rather be told why. */
const LONGEST_RETRY_S = 86_400;

/** What a client reads that met a rule: the operator's own words, where there are some. */
export const sentenceOf = (rule: LimitRule, units: number, waitMs: number): Refusal => {
  const amount = rule.measure === 'money' ? toDollarText(rule.amount) : String(rule.amount);
  const limit = rule.measure === 'inFlight' ? `${amount} ${NAMES.inFlight}` : `${amount} ${NAMES[rule.measure]} a ${rule.window}`;
  const own = rule.action.kind === 'refuse' ? rule.action.message : undefined;
  if (!Number.isFinite(waitMs))
    return refuse(
      'rate_limited',
      own ?? `This call takes some ${units} ${NAMES[rule.measure]}, more than the limit of ${limit} ever allows.`,
    );
  return refuse(
    rule.measure === 'inFlight' ? 'too_many_in_flight' : 'rate_limited',
    own ?? `The limit of ${limit} (${rule.name}) is reached.`,
    {
      retryAfterSeconds: Math.min(LONGEST_RETRY_S, Math.max(1, Math.ceil(waitMs / 1_000))),
    },
  );
};
