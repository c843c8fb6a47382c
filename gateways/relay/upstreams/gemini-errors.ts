import { saidError } from '../../../domain/dialects/gemini/said-error.ts';
import { parsedJson } from '../dialects/parsed-json.ts';
import type { Translation } from './translated-answer.ts';

const jsonOf = (body: Buffer): unknown => parsedJson(body.toString('utf8'));

/** What Google's errors mean to the hub. */
export const geminiErrors: Required<Pick<Translation, 'error' | 'statusOf' | 'headersOf'>> = {
  error: (status, body) => Buffer.from(JSON.stringify(saidError(status, jsonOf(body)).body)),
  statusOf: (status, body) => (status === 400 ? saidError(status, jsonOf(body)).status : status),
  headersOf: (status, body) => {
    const wait = status === 429 ? saidError(status, jsonOf(body)).wait : null;
    return wait === null ? {} : { 'retry-after': String(wait) };
  },
};
