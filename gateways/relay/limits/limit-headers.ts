import { isoInstant } from '../../../domain/kernel/iso-instant.ts';
import type { FlatHeaders } from '../answer.ts';
import type { AnswerDialect } from '../dialects/answer-dialect.ts';
import type { Standing } from './limit-gate.ts';

const OPENAI: { readonly [M in Standing['measure']]?: string } = {
  requests: 'requests',
  tokens: 'tokens',
  inputTokens: 'input-tokens',
  outputTokens: 'output-tokens',
};

/** As OpenAI writes a time to wait: `1h2m3s`, `6m0s`, `1.5s`, `20ms`. */
export const shortDuration = (ms: number): string => {
  if (ms < 1_000) return `${Math.max(0, Math.ceil(ms))}ms`;
  const seconds = Math.ceil(ms / 1_000);
  if (seconds < 60) return `${seconds}s`;
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor((seconds % 3_600) / 60)];
  return `${hours > 0 ? `${hours}h` : ''}${minutes}m${seconds % 60}s`;
};

/**
 * How near its limits a caller is, in the headers that clients of its dialect read: `x-ratelimit-…` with the time until all is there again, or
 * `anthropic-ratelimit-…` with the moment.
 */
export const limitHeaders = (dialect: AnswerDialect['name'], standings: readonly Standing[], now: number): FlatHeaders => {
  const headers: string[] = [];
  for (const { measure, limit, left, resetMs } of standings) {
    const name = OPENAI[measure];
    if (name === undefined) continue;
    if (dialect === 'anthropic') {
      const prefix = `anthropic-ratelimit-${name}`;
      headers.push(`${prefix}-limit`, String(limit), `${prefix}-remaining`, String(left), `${prefix}-reset`, isoInstant(now + resetMs));
    } else {
      headers.push(
        `x-ratelimit-limit-${name}`,
        String(limit),
        `x-ratelimit-remaining-${name}`,
        String(left),
        `x-ratelimit-reset-${name}`,
        shortDuration(resetMs),
      );
    }
  }
  return headers;
};
