import { isOutOfMoney, saidError } from '../../../domain/dialects/anthropic/said-error.ts';
import { parsedJson } from '../dialects/parsed-json.ts';
import type { Translation } from './translated-answer.ts';

/** Anthropic has no such status; it is what the hub knows an account without money by. */
const OUT_OF_MONEY = 402;

const jsonOf = (body: Buffer): unknown => parsedJson(body.toString('utf8'));

/** What Anthropic's errors mean to the hub. */
export const anthropicErrors: Required<Pick<Translation, 'error' | 'statusOf'>> = {
  error: (_status, body) => Buffer.from(JSON.stringify(saidError(jsonOf(body)))),
  statusOf: (status, body) => (status === 400 && isOutOfMoney(status, jsonOf(body)) ? OUT_OF_MONEY : status),
};
