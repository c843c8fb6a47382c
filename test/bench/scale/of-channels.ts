import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { signIn } from '../console-session.ts';
import type { Measurement } from '../load-job.ts';
import { INSTANT_MODEL } from '../mock-models.ts';
import { startOblivious } from '../oblivious.ts';
import { listeningOn, startHelper } from '../server-process.ts';
import { doublings, type Series } from './series.ts';

const FirstRun = z.object({ adminEmail: z.string(), adminPassword: z.string() });
/** Channels that are added at once. */
const AT_ONCE = 16;
/** Models that a channel of the crowd serves, of so many. */
const MODELS = 200;

/** Up to so many channels, each for a model of a crowd: what a call for a model of few channels costs. */
export const ofChannels = async (folder: string, channels: number, windowMs: number): Promise<readonly Series[]> => {
  const mock = startHelper('./mock-upstream.ts');
  const generator = startHelper('./load-generator.ts');
  try {
    const upstream = await listeningOn(mock);
    const target = await startOblivious({ log: 'postgres', upstream, folder });
    try {
      const first = FirstRun.parse(JSON.parse(readFileSync(join(folder, 'oblivious-postgres-home', 'first-run.json'), 'utf8')));
      const session = await signIn(target.origin, first.adminEmail, first.adminPassword);
      const points: Series['points'][number][] = [];
      let added = 0;
      for (const n of doublings(channels, 4)) {
        const since = performance.now();
        const before = added;
        const adder = async (): Promise<void> => {
          while (added < n) {
            const number = added++;
            const model = `crowd-${number % MODELS}`;
            await session.post('/channels', {
              settings: {
                name: `channel ${number}`,
                provider: 'openai',
                baseUrl: `${upstream}/v1`,
                models: [{ model, upstreamModel: model }],
              },
              secrets: ['sk-upstream'],
            });
          }
        };
        await Promise.all(Array.from({ length: AT_ONCE }, adder));
        const addedPerSecond = (n - before) / ((performance.now() - since) / 1_000);
        generator.tell({
          origin: target.origin,
          headers: target.headers,
          model: INSTANT_MODEL,
          streamed: false,
          connections: 64,
          warmupMs: 3_000,
          windowMs,
          gatewayPids: target.gatewayPids,
          databasePids: target.databasePids,
        });
        const measured = (await generator.hear()) as Measurement;
        const failures = Object.entries(measured.failures).map(([what, times]) => `${what} ×${times}`);
        if (failures.length > 0) throw new Error(`calls failed: ${failures.join(', ')}`);
        points.push({
          n,
          cost: measured.cpuSecondsPer1000 / 1_000,
          perSecond: measured.callsPerSecond,
          note: `${Math.round(addedPerSecond)} channels added in a second`,
        });
      }
      return [{ name: 'calls beside channels of other models', of: 'channels', growth: 'flat', cost: 'CPU s for a call', points }];
    } finally {
      await target.stop();
    }
  } finally {
    await generator.stop();
    await mock.stop();
  }
};
