import type { PlannedCall } from './client-call.ts';
import type { Random } from './random.ts';

/** Usage number `n`: all different for the first two million calls, all small. */
const usageOf = (n: number): PlannedCall['usage'] => {
  const prompt = 1 + (n % 200);
  const output = 1 + (Math.floor(n / 200) % 100);
  return { prompt, output, cached: Math.floor(n / 20_000) % (prompt + 1) };
};

/** The `n`-th call of a run: mostly ordinary, plain or streamed, and now and then everything that an upstream or a client can do wrong. */
export const planCall = (n: number, model: string, random: Random): PlannedCall => {
  const usage = usageOf(n);
  const streamed = random.next() < 0.5;
  const base = {
    latency: random.between(0, 30),
    prompt: usage.prompt,
    cached: usage.cached,
    tokens: usage.output,
    chunk: 8,
    interval: random.between(0, 3),
  };
  const ordinary: PlannedCall = {
    marker: `call-${n}`,
    model,
    streamed,
    maxTokens: 128,
    usage,
    ordinary: true,
    script: base,
    leavesAfter: null,
  };
  const odd = (script: Record<string, unknown>, changes: Partial<PlannedCall> = {}): PlannedCall => ({
    ...ordinary,
    ordinary: false,
    script: { ...base, ...script },
    ...changes,
  });
  const dice = random.next();
  if (dice < 0.76) return ordinary;
  if (dice < 0.8) return odd({ fail: 'status', status: 500 });
  if (dice < 0.83) return odd({ usage: 'never' });
  if (dice < 0.86) return odd({ usage: 'beyond_limit' });
  if (dice < 0.89) return odd({ usage: 'negative' });
  if (dice < 0.91) return odd({ fail: 'reset', after: 1 });
  if (dice < 0.93) return odd({ fail: 'end_early', after: 1 });
  return odd({ interval: 5, chunk: 1, tokens: 60 }, { streamed: true, leavesAfter: random.between(1, 6) });
};
