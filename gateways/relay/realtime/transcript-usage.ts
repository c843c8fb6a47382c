import type { UsageReading } from '../../../domain/pricing/openai-usage.ts';
import { readRealtimeUsage } from '../../../domain/pricing/realtime-usage.ts';
import type { ModelPrice } from '../../../schemas/price.ts';
import { HEARD_TOKENS_PER_SECOND } from './conversation.ts';
import { isRecord } from './session-terms.ts';

/** What a transcript used: tokens or seconds, in the class that the price has a rate for. */
export const transcriptReading = (usage: unknown, { rates }: ModelPrice, reckonedTokens: number): UsageReading => {
  const inSeconds = rates.second !== undefined && rates.audioInput === undefined && rates.input === undefined;
  const said = isRecord(usage) ? usage : {};
  const seconds = said['type'] === 'duration' ? said['seconds'] : undefined;
  if (seconds !== undefined) {
    if (typeof seconds !== 'number' || !Number.isFinite(seconds) || seconds < 0)
      return { kind: 'unbelievable', why: 'the seconds are not a length' };
    const length = Math.ceil(seconds);
    return inSeconds || rates.second !== undefined
      ? { kind: 'reported', usage: { second: length }, promptTokens: 0, outputTokens: 0 }
      : {
          kind: 'reported',
          usage: { audioInput: length * HEARD_TOKENS_PER_SECOND },
          promptTokens: length * HEARD_TOKENS_PER_SECOND,
          outputTokens: 0,
        };
  }
  const reading = readRealtimeUsage(usage);
  if (!inSeconds || reading.kind === 'unbelievable') return reading;
  const tokens = reading.kind === 'reported' ? reading.promptTokens : reckonedTokens;
  return { kind: 'reported', usage: { second: Math.ceil(tokens / HEARD_TOKENS_PER_SECOND) }, promptTokens: 0, outputTokens: 0 };
};
