import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { systemClock } from '../../../infra/clock.ts';
import { openReadModels } from '../../../infra/read-models/read-models.ts';
import { dropReadModels } from '../../../projections/engine/engine-schema.ts';
import { projectionStatus } from '../../../projections/engine/status.ts';
import { projections } from '../../../projections/registry.ts';
import { startServerProcess } from '../../support/server-process/server-process.ts';
import { storedEvents } from '../call-events.ts';
import type { LoadJob, Measurement } from '../load-job.ts';
import { INSTANT_MODEL } from '../mock-models.ts';
import { startOblivious } from '../oblivious.ts';
import { cpuSeconds, withDescendants } from '../process-cpu.ts';
import { listeningOn, startHelper } from '../server-process.ts';
import { fill, openScaleDatabase } from './database.ts';
import type { Series } from './series.ts';

const PROCESSES = [1, 2, 4];
const LOOK_MS = 50;
/**
 * Calls to each process before any are measured: until then most of what a call costs is the just-in-time compiler. A time would
 * not do, as processes that share a machine get fewer calls in it the more of them there are.
 */
const WARM_UP_CALLS = 12_000;
/** To each process: more processes are there for more clients, and what they write together depends on how many wait. */
const CONNECTIONS = 64;

/** Calls on one account through one key, at gateways of so many processes. `warmUp`: the share of the usual calls ahead of the measured ones. */
export const ofGateways = async (folder: string, windowMs: number, warmUp: number): Promise<readonly Series[]> => {
  const mock = startHelper('./mock-upstream.ts');
  const generator = startHelper('./load-generator.ts');
  try {
    const upstream = await listeningOn(mock);
    const points: Series['points'][number][] = [];
    for (const n of PROCESSES) {
      const own = join(folder, `gateways-${n}`);
      mkdirSync(own);
      const target = await startOblivious({ log: 'postgres', upstream, folder: own, ...(n === 1 ? {} : { processes: n }) });
      try {
        const job: LoadJob = {
          origin: target.origin,
          headers: target.headers,
          model: INSTANT_MODEL,
          streamed: false,
          connections: CONNECTIONS * n,
          warmupMs: 0,
          windowMs,
          gatewayPids: target.gatewayPids,
          databasePids: target.databasePids,
        };
        const measure = async (): Promise<Measurement> => {
          generator.tell(job);
          const measured = (await generator.hear()) as Measurement;
          const failures = Object.entries(measured.failures).map(([what, times]) => `${what} ×${times}`);
          if (failures.length > 0) throw new Error(`calls failed: ${failures.join(', ')}`);
          return measured;
        };
        for (let calls = 0; calls < WARM_UP_CALLS * n * warmUp;) calls += ((await measure()).callsPerSecond * windowMs) / 1_000;
        const measured = await measure();
        points.push({
          n,
          cost: (measured.cpuSecondsPer1000 + measured.databaseCpuSecondsPer1000) / 1_000,
          perSecond: measured.callsPerSecond,
          note: `database ${(measured.databaseCpuSecondsPer1000 * 1_000).toFixed(0)} µs of it`,
        });
      } finally {
        await target.stop();
      }
    }
    return [{ name: 'calls on one hot account', of: 'gateway processes', growth: 'flat', cost: 'CPU s for a call', points }];
  } finally {
    await generator.stop();
    await mock.stop();
  }
};

/** So many events brought into the read models, by so many processes in the role of the projector. */
export const ofProjectors = async (folder: string, events: number): Promise<readonly Series[]> => {
  const database = await openScaleDatabase();
  const models = await openReadModels({ kind: 'postgres', connectionString: database.url });
  try {
    await fill(database.log, storedEvents(Math.ceil(events / 2), 2_500));
    const head = await database.log.head();
    const points: Series['points'][number][] = [];
    for (const n of PROCESSES) {
      await models.database.transaction(dropReadModels);
      const cpu = database.cpu() - cpuSeconds([process.pid]);
      const since = performance.now();
      const members = await Promise.all(
        Array.from({ length: n }, (_, i) =>
          startServerProcess({
            home: join(folder, `projector-${n}-${i}`),
            environment: {
              DATABASE_URL: database.url,
              OBLIVIOUS_ROLES: 'projector',
              OBLIVIOUS_MASTER_KEY: Buffer.alloc(32).toString('base64'),
            },
          }),
        ),
      );
      try {
        for (;;) {
          const shown = await projectionStatus({ sql: models.database, feed: database.log, projections, clock: systemClock }).catch(
            () => [],
          );
          if (shown.length > 0 && shown.every(({ position }) => position >= head)) break;
          await pause(LOOK_MS);
        }
        const seconds = (performance.now() - since) / 1_000;
        const used = database.cpu() - cpuSeconds([process.pid]) - cpu + cpuSeconds(withDescendants(members.map(({ pid }) => pid)));
        points.push({ n, cost: used / Number(head), perSecond: Number(head) / seconds, note: 'their start included' });
      } finally {
        for (const member of members) await member.stop();
      }
    }
    return [{ name: 'projecting', of: 'projector processes', growth: 'flat', cost: 'CPU s for an event', points }];
  } finally {
    await models.close();
    await database.close();
  }
};
